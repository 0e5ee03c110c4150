// A Babylon.js application that installed the package: no configuration, no alias.
import { FreeCamera } from '@babylonjs/core/Cameras/freeCamera.js';
import { Engine } from '@babylonjs/core/Engines/engine.js';
import { ImportMeshAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import '@babylonjs/core/Materials/standardMaterial.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import { Scene } from '@babylonjs/core/scene.js';
import 'nsdf-loader/babylon/register';

async function load(options) {
  const engine = new Engine(document.createElement('canvas'), false);
  const scene = new Scene(engine);
  new FreeCamera('camera', new Vector3(0, 0, 3), scene).setTarget(Vector3.Zero());
  const nsdf = { tolerance: 5e-3, cache: false, ...options };
  const { meshes } = await ImportMeshAsync('/bunny.nsdf', scene, { pluginOptions: { nsdf } });
  const { nsdfOf } = await import('nsdf-loader/babylon');
  scene.render();
  const { stats, ladder } = nsdfOf(meshes[1]);
  const { backend, nVertices } = stats;
  return { backend, nVertices, nShown: meshes[1].getTotalVertices(), nLevels: ladder.length };
}

globalThis.app = {
  load: (options) => load(options).catch((error) => ({ error: `${error.name}: ${error.message}` })),
};
