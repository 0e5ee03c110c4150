// Loads a file with a preview, draws every frame, and writes down what was to be seen when.
import { Color, DirectionalLight, PerspectiveCamera, Scene, WebGLRenderer } from 'three';
import { setDefaultCache } from '../../../src/index.ts';
import { NSDFLoader, type NSDFProgress } from '../../../src/three/index.ts';

const SIZE = 128;

export interface Seen {
  /** Share of the download that had come when the first geometry was drawn. */
  readonly firstFraction: number;
  /** Pixels covered in each frame from the first that covers any. */
  readonly coverage: readonly number[];
  readonly phases: readonly string[];
  readonly isPreviewGone: boolean;
}

/** Whether a frame of the last load had geometry in it. */
let isSeen = false;

async function load(url: string): Promise<Seen> {
  setDefaultCache(null);
  const renderer = new WebGLRenderer({ preserveDrawingBuffer: true });
  renderer.setSize(SIZE, SIZE, false);
  document.body.append(renderer.domElement);
  const scene = new Scene();
  scene.background = new Color(0, 0, 0);
  scene.add(new DirectionalLight(0xffffff, 3));
  const camera = new PerspectiveCamera(40, 1, 0.1, 10);
  camera.position.set(0, 0, 4);

  const progress: NSDFProgress[] = [];
  const coverage: number[] = [];
  const pixels = new Uint8Array(SIZE * SIZE * 4);
  let firstFraction = Number.NaN;
  let isOver = false;
  const draw = (): void => {
    renderer.render(scene, camera);
    const gl = renderer.getContext();
    gl.readPixels(0, 0, SIZE, SIZE, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    const covered = pixels.filter((value, i) => i % 4 === 0 && value > 0).length;
    if (covered > 0 && coverage.length === 0) {
      firstFraction = progress.filter(({ phase }) => phase === 'download').at(-1)?.fraction ?? 0;
    }
    if (coverage.length > 0 || covered > 0) coverage.push(covered);
    isSeen = coverage.length > 0;
    if (!isOver) requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);

  const loader = new NSDFLoader()
    .setTolerance(2e-3)
    .setPreview((preview) => scene.add(preview))
    .setProgress((step) => progress.push(step));
  const group = await loader.loadAsync(url);
  scene.add(group);
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  isOver = true;
  const phases = [...new Set(progress.map(({ phase }) => phase))];
  const isPreviewGone = scene.children.every(({ userData }) => !userData.nsdf?.isPreview);
  return { firstFraction, coverage, phases, isPreviewGone };
}

const application = { load, isSeen: () => isSeen };
declare global {
  var streamApp: typeof application;
}
globalThis.streamApp = application;
