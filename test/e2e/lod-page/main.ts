// Loads a file, with levels of detail or as a single mesh, and says what it took to draw its first geometry.
import { DirectionalLight, PerspectiveCamera, Scene, WebGLRenderer } from 'three';
import { setDefaultCache } from '../../../src/index.ts';
import { createScheduler } from '../../../src/lod/index.ts';
import { NSDFLoader } from '../../../src/three/index.ts';

export interface FirstPicture {
  readonly nTriangles: number;
  readonly isPreview: boolean;
  /** Derivations that ended before the picture was there. */
  readonly nMade: number;
}

async function load(url: string, hasLevels: boolean): Promise<FirstPicture> {
  setDefaultCache(null);
  const renderer = new WebGLRenderer();
  renderer.setSize(64, 64, false);
  document.body.append(renderer.domElement);
  const camera = new PerspectiveCamera(40, 1, 0.1, 10);
  camera.position.z = 3;
  const scene = new Scene().add(new DirectionalLight());
  const scheduler = createScheduler();
  const loader = new NSDFLoader(undefined, { backend: 'worker' });
  const group = await (hasLevels ? loader.setLod({ scheduler }) : loader.setExact()).loadAsync(url);
  renderer.render(scene.add(group), camera);
  const [{ level }] = group.fields;
  return {
    nTriangles: renderer.info.render.triangles,
    isPreview: level?.isPreview ?? false,
    nMade: scheduler.stats.nMade,
  };
}

Object.assign(globalThis, { firstPicture: load });
