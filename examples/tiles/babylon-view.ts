import { ArcRotateCamera } from '@babylonjs/core/Cameras/arcRotateCamera.js';
import { Engine } from '@babylonjs/core/Engines/engine.js';
import { DirectionalLight } from '@babylonjs/core/Lights/directionalLight.js';
import { HemisphericLight } from '@babylonjs/core/Lights/hemisphericLight.js';
import type { PBRMaterial } from '@babylonjs/core/Materials/PBR/pbrMaterial.js';
import { Color3, Color4 } from '@babylonjs/core/Maths/math.color.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import type { TransformNode } from '@babylonjs/core/Meshes/transformNode.js';
import { Scene } from '@babylonjs/core/scene.js';
import { TilesRenderer } from '3d-tiles-renderer/babylonjs';
import { registerNSDFGLTFExtension } from '../../src/babylon/index.ts';
import { LEVEL_COLORS, levelOf, type TilesView } from './tiles-view.ts';

/** Streams a tileset in Babylon.js. The one line of ours is where the glTF extension is registered. */
export function createView(canvas: HTMLCanvasElement, url: string): TilesView {
  registerNSDFGLTFExtension();
  const engine = new Engine(canvas, true);
  const scene = new Scene(engine);
  scene.useRightHandedSystem = true; // the tiles renderer knows no other
  scene.clearColor = new Color4(0.082, 0.094, 0.114, 1);
  const sky = new HemisphericLight('sky', Vector3.Up(), scene);
  sky.groundColor = new Color3(0.2, 0.21, 0.24);
  new DirectionalLight('sun', new Vector3(-3, -5, -4), scene).intensity = 1.6;
  const camera = new ArcRotateCamera('camera', 0, 0, 4, Vector3.Zero(), scene);
  camera.fov = (45 * Math.PI) / 180;
  camera.minZ = 0.01;
  camera.maxZ = 200;
  camera.lowerRadiusLimit = 0.05;
  camera.wheelDeltaPercentage = 0.02;
  camera.attachControl();

  const tiles = new TilesRenderer(url, scene);
  tiles.group.rotation.x = -Math.PI / 2; // 3D Tiles has z up
  tiles.addEventListener('load-model', ({ scene: content, url: address }) => paint(content, address));
  // A picture is drawn where it would be another one: while tiles are awaited the camera mostly rests.
  let isDirty = true;
  const invalidate = (): void => {
    isDirty = true;
  };
  tiles.addEventListener('tile-visibility-change', invalidate);
  camera.onViewMatrixChangedObservable.add(invalidate);
  engine.onResizeObservable.add(invalidate);
  engine.runRenderLoop(() => {
    engine.resize();
    camera.update();
    camera.getViewMatrix();
    tiles.update();
    // Shaders compile beside the page: what lacks one is drawn later.
    const isReady = scene.isReady();
    if (isReady && !isDirty) return;
    isDirty = !isReady;
    scene.render(false);
  });
  return {
    tiles,
    look: ([x, y, z], distance) => {
      camera.setTarget(new Vector3(x, y, z));
      camera.setPosition(new Vector3(x + 0.25 * distance, y + 0.25 * distance, z + 0.935 * distance));
    },
    countTriangles: () => scene.getActiveIndices() / 3,
  };
}

function paint(content: TransformNode, address: string | URL): void {
  for (const { material } of content.getChildMeshes()) {
    if (material)
      (material as PBRMaterial).albedoColor = Color3.FromHexString(
        LEVEL_COLORS[levelOf(String(address))],
      ).toLinearSpace();
  }
}
