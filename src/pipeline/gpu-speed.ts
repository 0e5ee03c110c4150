/**
 * What is known of how fast the adapters of this machine are. `auto` goes by it: whether a GPU is worth while depends on
 * the adapter, its driver and the processor beside it, so one derivation is measured on both and remembered.
 */

/** Where it is kept between visits, by the adapter's name. */
const KEY = 'nsdf-loader.gpu-speed';
/** Times that the GPU has to be faster than the worker's first derivation, whose code is not compiled yet. */
const LEAST_GAIN = 2;
/** Drivers and machines change: what is older is measured again. */
const MAX_AGE_MS = 30 * 24 * 3600 * 1000;

interface Measured {
  /** The worker's time over the GPU's for the same mesh; 0 for adapters that compute on the processor. */
  readonly gain: number;
  /** When, as `Date.now`. */
  readonly atMs: number;
}

type Speeds = Readonly<Record<string, Partial<Measured> | null>>;

/** Whether this platform has WebGPU of its own. */
export function hasWebGpu(): boolean {
  return typeof navigator === 'object' && 'gpu' in navigator;
}

/** Undefined in workers, where pages may keep nothing, and where there is no GPU: nothing is measured there. */
function storage(): Storage | undefined {
  try {
    return hasWebGpu()
      ? (globalThis as Partial<Pick<typeof globalThis, 'localStorage'>>).localStorage
      : undefined;
  } catch {
    return undefined;
  }
}

/** What was kept; nothing where that is spoilt. */
function recall(): Speeds {
  try {
    return { ...JSON.parse(storage()?.getItem(KEY) ?? '{}') };
  } catch {
    return {};
  }
}

/** Keeps what was measured of an adapter. */
export function rememberGain(adapterName: string, gain: number): void {
  const speeds: Speeds = { ...recall(), [adapterName]: { gain, atMs: Date.now() } };
  try {
    storage()?.setItem(KEY, JSON.stringify(speeds));
  } catch {
    // No room is left: it will be measured again.
  }
}

/** Whether the GPU is faster than a worker; undefined where it is not known. @param adapterName default: any adapter */
export function isGpuFaster(adapterName?: string): boolean | undefined {
  if (storage() === undefined) return false;
  const speeds = recall();
  const measured = adapterName === undefined ? Object.values(speeds) : [speeds[adapterName]];
  const fresh = measured.filter((of) => Date.now() - Number(of?.atMs) < MAX_AGE_MS);
  return fresh.length === 0 ? undefined : fresh.some((of) => Number(of?.gain) > LEAST_GAIN);
}
