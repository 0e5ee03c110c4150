import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';

/** What the viewer needs of either engine. */
export interface ViewEngine {
  readonly kind: 'webgpu' | 'webgl';
  readonly engine: AbstractEngine;
}

/** Makes a WebGPUEngine where an adapter answers, else an Engine on WebGL 2; `wanted` 'webgl' skips the question. */
export async function createEngine(canvas: HTMLCanvasElement, wanted: string | null): Promise<ViewEngine> {
  const hasWebGPU = wanted !== 'webgl' && (await navigator.gpu?.requestAdapter().catch(() => null));
  if (hasWebGPU) {
    const { WebGPUEngine } = await import('@babylonjs/core/Engines/webgpuEngine.js');
    const engine = new WebGPUEngine(canvas, { antialias: true, adaptToDeviceRatio: true });
    await engine.initAsync();
    return { kind: 'webgpu', engine };
  }
  const { Engine } = await import('@babylonjs/core/Engines/engine.js');
  return { kind: 'webgl', engine: new Engine(canvas, true, { adaptToDeviceRatio: true }) };
}
