import { type Camera, Vector4, type WebGLRenderer } from 'three';

interface SeenViewport {
  height: number;
  /** When that height was last drawn. */
  timeMs: number;
}

// What each camera last drew into: three tells a LOD its camera but not the picture's size, and a mesh is told both when
// it is drawn. Shared by all objects, as cameras are.
const viewports = new WeakMap<Camera, SeenViewport>();
const scratch = new Vector4();

/** Where nothing has been drawn yet and there is no window. */
const FALLBACK_HEIGHT = 1080;
/** A lower picture counts once the higher one was not drawn for so long: one frame may have passes of several sizes. */
const FORGET_MS = 200;

/** `Object3D.onBeforeRender`: notes the height, in physical pixels, that a camera draws into. */
export function noteViewport(renderer: WebGLRenderer, _scene: unknown, camera: Camera): void {
  const target = renderer.getRenderTarget();
  const height = target ? target.viewport.w : renderer.getViewport(scratch).w * renderer.getPixelRatio();
  const nowMs = performance.now();
  const seen = viewports.get(camera);
  if (!seen) viewports.set(camera, { height, timeMs: nowMs });
  else if (height >= seen.height || nowMs - seen.timeMs > FORGET_MS) {
    seen.height = height;
    seen.timeMs = nowMs;
  }
}

/** Height of the picture that a camera draws, in physical pixels; the window's until it was first seen drawing. */
export function viewportHeightOf(camera: Camera): number {
  const seen = viewports.get(camera);
  if (seen) return seen.height;
  const { innerHeight, devicePixelRatio } = globalThis;
  return innerHeight > 0 ? innerHeight * devicePixelRatio : FALLBACK_HEIGHT;
}
