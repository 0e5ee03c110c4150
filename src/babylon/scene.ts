/** What a scene and its engine tell of themselves: the GPU device, and when the scene is gone. */
import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { DeriveSettings } from '../plugin/settings.ts';
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

/**
 * Aborts work that is for a scene as soon as that is disposed of, which disposing of its engine does, too.
 * @returns what ends the watch.
 */
export function abortWith(scene: Scene, controller: AbortController): () => void {
  const abort = (): void => controller.abort(new DOMException('the scene was disposed', 'AbortError'));
  if (scene.isDisposed) abort();
  const observer = scene.onDisposeObservable.add(abort);
  return () => observer.remove();
}
