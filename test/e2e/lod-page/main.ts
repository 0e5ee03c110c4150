// Loads a file, with levels of detail or as a single mesh, and says when its first geometry was drawn.
import {
  DirectionalLight,
  Mesh,
  MeshStandardMaterial,
  PerspectiveCamera,
  Scene,
  SphereGeometry,
  WebGLRenderer,
} from 'three';
import { setDefaultCache } from '../../../src/index.ts';
import { NSDFLoader } from '../../../src/three/index.ts';

export interface FirstPicture {
  readonly timeMs: number;
  readonly nTriangles: number;
  readonly isPreview: boolean;
}

async function load(url: string, hasLevels: boolean): Promise<FirstPicture> {
  setDefaultCache(null);
  const renderer = new WebGLRenderer();
  renderer.setSize(64, 64, false);
  document.body.append(renderer.domElement);
  const camera = new PerspectiveCamera(40, 1, 0.1, 10);
  camera.position.z = 3;
  // The renderer's own start is not ours to time: an application has drawn something before.
  const scene = new Scene().add(
    new DirectionalLight(),
    new Mesh(new SphereGeometry(), new MeshStandardMaterial()),
  );
  renderer.render(scene, camera);
  scene.remove(scene.children[1]);
  const startMs = performance.now();
  const loader = new NSDFLoader(undefined, { backend: 'worker' });
  const group = await (hasLevels ? loader.setLod() : loader.setExact()).loadAsync(url);
  renderer.render(scene.add(group), camera);
  const timeMs = performance.now() - startMs;
  const isPreview = group.fields[0].level?.isPreview ?? false;
  return { timeMs, nTriangles: renderer.info.render.triangles, isPreview };
}

Object.assign(globalThis, { firstPicture: load });
