import { NsdfGpuError } from '../errors.ts';

/** A GPU device with what we need to know of it. */
export interface GpuContext {
  readonly device: GPUDevice;
  /** What the browser tells of the adapter, for reports. */
  readonly adapterName: string;
  /** Whether the adapter computes on the CPU (SwiftShader, llvmpipe, WARP). */
  readonly isSoftware: boolean;
  readonly hasTimestamps: boolean;
  /** Whether {@link disposeGpu} ends the device: not where it was given to us. */
  readonly isOwned: boolean;
  /** Why the device is lost, once it is. */
  readonly lossReason: () => string | undefined;
}

/** Names that software adapters go by. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|software|basic render|\bwarp\b/i;

/** The API's entry, or undefined where the platform has none. Asks for nothing. */
export function findGpu(): GPU | undefined {
  return typeof navigator === 'object' ? (navigator as Partial<Navigator>).gpu : undefined;
}

/**
 * A device of our own, with the default limits (they are the budget) and timestamps where the adapter has them.
 * @throws {NsdfGpuError} if there is no WebGPU, no adapter, or no device to be had
 */
export async function createGpuContext(gpu: GPU | undefined = findGpu()): Promise<GpuContext> {
  if (gpu === undefined) throw new NsdfGpuError('device', 'There is no WebGPU here (navigator.gpu).');
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (cause) {
    throw new NsdfGpuError('device', `The WebGPU adapter was refused: ${messageOf(cause)}`, { cause });
  }
  if (adapter === null) throw new NsdfGpuError('device', 'WebGPU has no adapter here.');
  const hasTimestamps = adapter.features.has('timestamp-query');
  try {
    const device = await adapter.requestDevice({
      label: 'nsdf.device',
      requiredFeatures: hasTimestamps ? ['timestamp-query'] : [],
    });
    return wrapDevice(device, adapter.info, true);
  } catch (cause) {
    throw new NsdfGpuError('device', `The WebGPU device was refused: ${messageOf(cause)}`, { cause });
  }
}

/** A context around a device that somebody else owns, such as a renderer. */
export function shareDevice(device: GPUDevice): GpuContext {
  return wrapDevice(device, device.adapterInfo, false);
}

/** Ends a device that is ours; frees everything on it. */
export function disposeGpu({ device, isOwned }: GpuContext): void {
  if (isOwned) device.destroy();
}

function wrapDevice(device: GPUDevice, info: GPUAdapterInfo | undefined, isOwned: boolean): GpuContext {
  const names = [info?.vendor, info?.architecture, info?.device, info?.description];
  const adapterName = [...new Set(names.filter((name) => name))].join(' ') || 'unnamed adapter';
  let reason: string | undefined;
  void device.lost.then(({ reason: kind, message }) => {
    reason = message || kind;
  });
  return {
    device,
    adapterName,
    isSoftware: info?.isFallbackAdapter === true || SOFTWARE.test(adapterName),
    hasTimestamps: device.features.has('timestamp-query'),
    isOwned,
    lossReason: () => reason,
  };
}

/**
 * Runs GPU calls with error scopes around them; the scopes are closed before it returns, so that other users of a shared
 * device never see ours.
 * @returns what `calls` returned, once the GPU has accepted the calls
 * @throws {NsdfGpuError} if it has not, or the device is lost
 */
export async function guarded<T>(context: GpuContext, stage: string, calls: () => T): Promise<T> {
  const { device } = context;
  const filters = ['internal', 'out-of-memory', 'validation'] as const;
  for (const filter of filters) device.pushErrorScope(filter);
  let result: T;
  let pending: Promise<GPUError | null>[] = [];
  try {
    result = calls();
  } finally {
    pending = filters.map(() => device.popErrorScope());
  }
  const errors = await settle(context, stage, Promise.all(pending));
  const error = errors.find((found) => found !== null);
  if (error) {
    const isMemory = typeof GPUOutOfMemoryError === 'function' && error instanceof GPUOutOfMemoryError;
    throw new NsdfGpuError(stage, `The GPU refused ${stage}: ${error.message}`, {
      ...(isMemory && { limit: 'memory' }),
      cause: error,
    });
  }
  return result;
}

/**
 * Waits for the GPU; a lost device rejects at once, whatever the promise itself does then.
 * @throws {NsdfGpuError} if the device is lost, or the promise rejects
 */
export async function settle<T>(context: GpuContext, stage: string, promise: Promise<T>): Promise<T> {
  const { device, lossReason } = context;
  const lost = device.lost.then(({ message, reason }): never => {
    throw new NsdfGpuError(stage, `The GPU device was lost during ${stage}: ${message || reason}`);
  });
  lost.catch(() => {}); // not an unhandled rejection where the promise won
  try {
    return await Promise.race([promise, lost]);
  } catch (cause) {
    if (cause instanceof NsdfGpuError) throw cause;
    const why = lossReason();
    const what = why === undefined ? messageOf(cause) : `the device was lost (${why})`;
    throw new NsdfGpuError(stage, `The GPU failed in ${stage}: ${what}`, { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
