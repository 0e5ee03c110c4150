import { FreeCamera } from '@babylonjs/core/Cameras/freeCamera.js';
import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import { Engine } from '@babylonjs/core/Engines/engine.js';
import { WebGPUEngine } from '@babylonjs/core/Engines/webgpuEngine.js';
import { HemisphericLight } from '@babylonjs/core/Lights/hemisphericLight.js';
import { Color3, Color4 } from '@babylonjs/core/Maths/math.color.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import { Logger } from '@babylonjs/core/Misc/logger.js';
import { Scene } from '@babylonjs/core/scene.js';
import '@babylonjs/core/Culling/ray.js';
import '@babylonjs/core/Materials/standardMaterial.js';
import { readPixels } from '../three/pixels.ts';

Logger.LogLevels = Logger.ErrorLogLevel;

export type EngineKind = 'Engine' | 'WebGPUEngine';

/** An engine with a square canvas of its own. */
export async function createEngine(kind: EngineKind, size: number): Promise<AbstractEngine> {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  if (kind === 'Engine') return new Engine(canvas, false);
  const engine = new WebGPUEngine(canvas, { antialias: false });
  await engine.initAsync();
  return engine;
}

/** A black scene with one light from above. */
export function createLitScene(engine: AbstractEngine): Scene {
  const scene = new Scene(engine);
  scene.clearColor = new Color4(0, 0, 0, 1);
  const light = new HemisphericLight('light', Vector3.Up(), scene);
  light.groundColor = new Color3(0.6, 0.6, 0.6);
  light.intensity = 0.9;
  return scene;
}

/** Looks along -z, as three's test camera does, at a square of two units. */
export function createOrthoCamera(scene: Scene): FreeCamera {
  const camera = new FreeCamera('camera', new Vector3(0, 0, 10), scene);
  camera.setTarget(Vector3.Zero());
  camera.mode = FreeCamera.ORTHOGRAPHIC_CAMERA;
  [camera.orthoLeft, camera.orthoRight, camera.orthoBottom, camera.orthoTop] = [-1, 1, -1, 1];
  camera.minZ = 0.1;
  camera.maxZ = 20;
  return camera;
}

/** Draws one frame once shaders are there, and reads it; a WebGPUEngine submits its work at the frame's end. */
export async function draw(scene: Scene): Promise<Uint8ClampedArray> {
  await scene.whenReadyAsync();
  const engine = scene.getEngine();
  engine.beginFrame();
  scene.render();
  engine.endFrame();
  return readPixels(engine.getRenderingCanvas() as HTMLCanvasElement);
}
