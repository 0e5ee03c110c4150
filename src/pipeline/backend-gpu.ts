import { abortable } from './abortable.ts';
import type { BackendControl, DeriveBackend } from './backend.ts';
import { hasWebGpu, isGpuFaster } from './gpu-speed.ts';
import { isDerived } from './lattice-rule.ts';

/** The part of the backend that is loaded when it is first needed. */
type GpuModule = typeof import('./gpu-job.ts');

export interface GpuBackend extends DeriveBackend {
  /** The part that is loaded when it is first needed. */
  load(): Promise<GpuModule>;
  /** Ends the backend's own device, with all that is on it. */
  dispose(): void;
}

/** Boxes at the surface of a field that an adapter is measured with: fewer are derived in a moment anywhere. */
const LEAST_MEASURED = 1000;

/**
 * Derives on the GPU, on this thread, see `deriveJob`. Nobody who did not ask for it gets it before it was measured to be faster
 * here than a worker: on the first derivation that a worker was asked for, once more on the GPU, when nobody waits.
 *
 * It lives on the page's thread, not in the worker: only there can a renderer's device be shared (devices cannot be
 * posted), one device serves all workers, and what it asks of the thread is to encode a few passes.
 */
export function createGpuBackend(
  rest: readonly DeriveBackend[],
  loadModule: () => Promise<GpuModule>,
): GpuBackend {
  let module: Promise<GpuModule> | undefined;
  const load = (): Promise<GpuModule> => {
    module ??= loadModule();
    return module;
  };
  return {
    kind: 'gpu',
    merit: 'it was measured to be faster here',
    unavailable,
    async isWorthwhile(asset, options, control) {
      if (unavailable(control) || !isGpuFaster() || !isDerived(asset, options)) return false;
      const isFast = load().then((gpu) => gpu.isFast(asset, control));
      return abortable(
        isFast.catch(() => false),
        control.signal,
      );
    },
    learn(asset, options, control, { stats }) {
      if (unavailable(control) || isGpuFaster() === false || !isDerived(asset, options)) return;
      if (stats.nBoxesSurviving < LEAST_MEASURED) return;
      // Where nothing is learnt the next field may do.
      void load().then(
        (gpu) => gpu.learn(asset, options, control, stats.timeMs),
        () => {},
      );
    },
    derive: async (asset, options, control) => (await load()).deriveJob(rest, asset, options, control),
    load,
    dispose() {
      void module?.then(({ releaseDevice }) => releaseDevice());
    },
  };
}

function unavailable(control?: BackendControl): string | undefined {
  return control?.device !== undefined || hasWebGpu() ? undefined : 'there is no WebGPU here';
}
