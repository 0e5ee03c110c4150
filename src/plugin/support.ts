import type { Backend } from '../index.ts';

/** What `detectSupport` found. */
export interface NSDFSupport {
  /** The engine's own GPU device, to be shared; null without an engine that runs on WebGPU (after its start). */
  readonly device: GPUDevice | null;
  /** Whether the browser has the WebGPU API at all (it may still refuse an adapter). */
  readonly hasWebGPU: boolean;
  /** Whether module workers can be made, so that a derivation leaves the page responsive. */
  readonly hasWorkers: boolean;
  /** Whether IndexedDB is there, which a cache that outlives the page needs. */
  readonly hasIndexedDB: boolean;
  /** The backends that can run here, those that are best for large fields first. */
  readonly backends: readonly Backend[];
}

/** Reports what this browser, or Node, has; asks for nothing and changes nothing. */
export function describeSupport(device: GPUDevice | null): NSDFSupport {
  const hasWorkers = typeof Worker === 'function';
  const hasWebGPU = typeof navigator === 'object' && 'gpu' in navigator;
  return {
    device,
    hasWebGPU,
    hasWorkers,
    hasIndexedDB: typeof indexedDB === 'object' && indexedDB !== null,
    backends: [...(hasWebGPU ? ['gpu' as const] : []), ...(hasWorkers ? ['worker' as const] : []), 'cpu'],
  };
}
