import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import { describeSupport, type NSDFSupport } from '../plugin/support.ts';

/**
 * Reports what is there to derive meshes with; asks for nothing and changes nothing. Safe in Node.
 * @param engine an `Engine` or a `WebGPUEngine`; its device is found only once `initAsync()` is done.
 */
export function detectSupport(engine?: AbstractEngine): NSDFSupport {
  return describeSupport(deviceOf(engine));
}

/** The GPU device of a `WebGPUEngine`; Babylon has no public name for it. */
export function deviceOf(engine: AbstractEngine | undefined): GPUDevice | null {
  return (engine?.isWebGPU && (engine as { _device?: GPUDevice })._device) || null;
}
