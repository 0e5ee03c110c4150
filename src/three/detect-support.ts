import { describeSupport, type NSDFSupport } from '../plugin/support.ts';

/**
 * Reports what is there to derive meshes with; asks for nothing and changes nothing. Safe in Node.
 * @param renderer a `WebGPURenderer` or `WebGLRenderer`; its device is found only once `renderer.init()` is done.
 */
export function detectSupport(renderer?: object): NSDFSupport {
  return describeSupport(deviceOf(renderer));
}

/** `backend.device` is not in three's types, and a WebGPURenderer that fell back to WebGL 2 has none. */
function deviceOf(renderer: object | undefined): GPUDevice | null {
  const backend = (
    renderer as { backend?: { isWebGPUBackend?: boolean; device?: GPUDevice | null } } | undefined
  )?.backend;
  return (backend?.isWebGPUBackend && backend.device) || null;
}
