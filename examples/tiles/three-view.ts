import { TilesRenderer } from '3d-tiles-renderer/three';
import { GLTFExtensionsPlugin } from '3d-tiles-renderer/three/plugins';
import {
  Color,
  DirectionalLight,
  HemisphereLight,
  type Mesh,
  type MeshStandardMaterial,
  type Object3D,
  PerspectiveCamera,
  Scene,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { GLTFNSDFExtension } from '../../src/three/index.ts';
import { LEVEL_COLORS, levelOf, type TilesView } from './tiles-view.ts';

/** Streams a tileset in three.js. The one line of ours is where the glTF extension is registered. */
export function createView(canvas: HTMLCanvasElement, url: string): TilesView {
  const renderer = new WebGLRenderer({ canvas, antialias: true });
  const camera = new PerspectiveCamera(45, 1, 0.01, 200);
  const scene = new Scene();
  scene.background = new Color('#15181d');
  scene.add(new HemisphereLight('#f4efe8', '#30343c', 1.6));
  const sun = new DirectionalLight('#ffffff', 2.2);
  sun.position.set(3, 5, 4);
  scene.add(sun);

  const tiles = new TilesRenderer(url);
  tiles.registerPlugin(
    new GLTFExtensionsPlugin({ plugins: [(parser: GLTFNSDFParser) => new GLTFNSDFExtension(parser)] }),
  );
  tiles.group.rotation.x = -Math.PI / 2; // 3D Tiles has z up
  scene.add(tiles.group);
  tiles.setCamera(camera);
  tiles.addEventListener('load-model', ({ scene: content, url: address }) => paint(content, address));

  // A picture is drawn where it would be another one: while tiles are awaited the camera mostly rests.
  let isDirty = true;
  const invalidate = (): void => {
    isDirty = true;
  };
  tiles.addEventListener('tile-visibility-change', invalidate);
  const controls = new OrbitControls(camera, canvas);
  controls.addEventListener('change', invalidate);
  renderer.setAnimationLoop(() => {
    if (fitCanvas(renderer, camera, tiles)) invalidate();
    controls.update();
    camera.updateMatrixWorld();
    tiles.update();
    if (isDirty) renderer.render(scene, camera);
    isDirty = false;
  });
  return {
    tiles,
    look: ([x, y, z], distance) => {
      controls.target.set(x, y, z);
      camera.position.set(x + 0.25 * distance, y + 0.25 * distance, z + 0.935 * distance);
    },
    countTriangles: () => renderer.info.render.triangles,
  };
}

type GLTFNSDFParser = ConstructorParameters<typeof GLTFNSDFExtension>[0];

/** Whether the canvas had another size. */
function fitCanvas(renderer: WebGLRenderer, camera: PerspectiveCamera, tiles: TilesRenderer): boolean {
  const { clientWidth, clientHeight, width, height } = renderer.domElement;
  if (clientWidth === width && clientHeight === height) return false;
  renderer.setSize(clientWidth, clientHeight, false);
  camera.aspect = clientWidth / clientHeight;
  camera.updateProjectionMatrix();
  tiles.setResolution(camera, clientWidth, clientHeight);
  return true;
}

function paint(content: Object3D, address: string | URL): void {
  content.traverse((object) => {
    const { material } = object as Partial<Mesh>;
    if (material) (material as MeshStandardMaterial).color.set(LEVEL_COLORS[levelOf(String(address))]);
  });
}
