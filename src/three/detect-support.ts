import type { Backend } from '../index.ts';

/** What `detectSupport` found. */
export interface NSDFSupport {
  /** The renderer's own GPU device, to be shared; null without a renderer that runs on WebGPU (after its `init`). */
  readonly device: GPUDevice | null;
  /** Whether the browser has the WebGPU API at all (it may still refuse an adapter). */
  readonly hasWebGPU: boolean;
  /** Whether module workers can be made, so that a derivation leaves the page responsive. */
  readonly hasWorkers: boolean;
  /** Whether IndexedDB is there, which a cache that outlives the page needs. */
  readonly hasIndexedDB: boolean;
  /** The backends that can run here, best first. */
  readonly backends: readonly Backend[];
}

/**
 * Reports what is there to derive meshes with; asks for nothing and changes nothing. Safe in Node.
 * @param renderer a `WebGPURenderer` or `WebGLRenderer`; its device is found only once `renderer.init()` is done.
 */
export function detectSupport(renderer?: object): NSDFSupport {
  const hasWorkers = typeof Worker === 'function';
  return {
    device: deviceOf(renderer),
    hasWebGPU: typeof navigator === 'object' && 'gpu' in navigator,
    hasWorkers,
    hasIndexedDB: typeof indexedDB === 'object' && indexedDB !== null,
    backends: hasWorkers ? ['worker', 'cpu'] : ['cpu'],
  };
}

/** `backend.device` is not in three's types, and a WebGPURenderer that fell back to WebGL 2 has none. */
function deviceOf(renderer: object | undefined): GPUDevice | null {
  const backend = (
    renderer as { backend?: { isWebGPUBackend?: boolean; device?: GPUDevice | null } } | undefined
  )?.backend;
  return (backend?.isWebGPUBackend && backend.device) || null;
}
