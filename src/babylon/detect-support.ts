import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import type { DeriveSettings } from '../plugin/derive-settings.ts';
import { describeSupport, type NSDFSupport } from '../plugin/support.ts';

/**
 * Reports what is there to derive meshes with; asks for nothing and changes nothing. Safe in Node.
 * @param engine an `Engine` or a `WebGPUEngine`; its device is found only once `initAsync()` is done.
 */
export function detectSupport(engine?: AbstractEngine): NSDFSupport {
  return describeSupport(deviceOf(engine));
}

/** Settings with the engine's own GPU device in them, where it has one and the settings name no other. */
export function withDevice<T extends Pick<DeriveSettings, 'device'>>(
  settings: T,
  engine: AbstractEngine,
): T & Pick<DeriveSettings, 'device'> {
  const device = deviceOf(engine);
  return device === null ? settings : { device, ...settings };
}

/** The GPU device of a `WebGPUEngine`; Babylon has no public name for it. */
export function deviceOf(engine: AbstractEngine | undefined): GPUDevice | null {
  return (engine?.isWebGPU && (engine as { _device?: GPUDevice })._device) || null;
}
