import { createGpuField, type GpuField } from '../field/gpu/gpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { isSameNetwork } from '../format/network-map.ts';
import type { GpuContext } from '../gpu/context.ts';
import { GpuSurfaceDeriver } from '../surface/gpu/gpu-surface.ts';
import { releaseOwnDevice } from './gpu-device.ts';

/** A device, and the field that was derived on it last: the next tolerance of it needs no upload and no buffers. */
export interface Session {
  readonly context: GpuContext;
  current: CurrentField | undefined;
}

/** A field on a device, and who uses it. */
export interface CurrentField {
  readonly asset: FieldAsset;
  readonly ready: Promise<{ readonly field: GpuField; readonly deriver: GpuSurfaceDeriver }>;
  nUsers: number;
  isReplaced: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** A field that nobody asked for so long leaves the GPU. */
const IDLE_MS = 10_000;

let sessions = new WeakMap<GPUDevice, Session>();

/** The shapes of the fields that a device has the kernels for. */
const prepared = new WeakMap<GPUDevice, Set<string>>();

/** Compiles what deriving a field of such a shape needs, or finds it compiled. @throws as `GpuSurfaceDeriver.create` */
export async function prepare(field: GpuField): Promise<GpuSurfaceDeriver> {
  const deriver = await GpuSurfaceDeriver.create(field);
  const { device } = field.context;
  prepared.set(device, (prepared.get(device) ?? new Set()).add(shapeKey(field.asset)));
  return deriver;
}

/** Whether a device has the kernels for such a field. */
export function isPrepared({ device }: GpuContext, asset: FieldAsset): boolean {
  return prepared.get(device)?.has(shapeKey(asset)) === true;
}

/** All of a field that its kernels depend on, but for the table's precision, which takes a look at all of it. */
function shapeKey({ encoding, layers }: FieldAsset): string {
  const grid = encoding.kind === 'hash-grid' ? [encoding.levels.length, encoding.nFeaturesPerLevel] : [];
  return [grid, layers.map(({ nOut }) => nOut)].join(';');
}

/** Ends our own device. */
export function releaseDevice(): void {
  releaseOwnDevice();
  sessions = new WeakMap();
}

/** What a device is at. */
export function sessionOf(context: GpuContext): Session {
  const session = sessions.get(context.device) ?? { context, current: undefined };
  sessions.set(context.device, session);
  return session;
}

/** The field on the GPU, uploaded where it is not there; another one leaves when nobody uses it any more. */
export function acquire(session: Session, asset: FieldAsset): CurrentField {
  const { current } = session;
  if (current && !current.isReplaced && isSameNetwork(current.asset, asset)) {
    clearTimeout(current.timer);
    current.nUsers++;
    return current;
  }
  if (current && !current.isReplaced) {
    current.isReplaced = true;
    clearTimeout(current.timer);
    if (current.nUsers === 0) drop(current);
  }
  const next: CurrentField = {
    asset,
    ready: open(asset, session.context),
    nUsers: 1,
    isReplaced: false,
    timer: undefined,
  };
  session.current = next;
  next.ready.catch(() => {
    if (session.current === next) session.current = undefined;
  });
  return next;
}

async function open(asset: FieldAsset, context: GpuContext) {
  const field = await createGpuField(asset, context);
  try {
    return { field, deriver: await prepare(field) };
  } catch (error) {
    field.dispose();
    throw error;
  }
}

/** To be called by whoever acquired a field, when it is done with it. */
export function release(current: CurrentField): void {
  current.nUsers--;
  if (current.nUsers > 0) return;
  if (current.isReplaced) drop(current);
  else current.timer = unref(setTimeout(() => leave(current), IDLE_MS));
}

/** A timer that keeps no process alive. */
function unref(timer: ReturnType<typeof setTimeout>): ReturnType<typeof setTimeout> {
  if (typeof timer === 'object') (timer as { unref?: () => void }).unref?.();
  return timer;
}

function leave(current: CurrentField): void {
  current.isReplaced = true;
  drop(current);
}

function drop(current: CurrentField): void {
  void current.ready.then(
    ({ field, deriver }) => {
      deriver.release();
      field.dispose();
    },
    () => {},
  );
}
