import { type Camera, Vector4, type WebGLRenderer } from 'three';

interface SeenViewport {
  readonly height: number;
  readonly frame: number;
}

// What each camera last drew into: three tells a LOD its camera but not the picture's size, and a mesh is told both when
// it is drawn. Shared by all objects, as cameras are.
const viewports = new WeakMap<Camera, SeenViewport>();
const scratch = new Vector4();

/** Where nothing has been drawn yet and there is no window. */
const FALLBACK_HEIGHT = 1080;

/** `Object3D.onBeforeRender`: notes the height, in physical pixels, that a camera draws into. Passes of one frame share the largest. */
export function noteViewport(renderer: WebGLRenderer, _scene: unknown, camera: Camera): void {
  const target = renderer.getRenderTarget();
  const height = target ? target.viewport.w : renderer.getViewport(scratch).w * renderer.getPixelRatio();
  const { frame } = renderer.info.render;
  const seen = viewports.get(camera);
  if (seen?.height === height) return;
  if (seen && seen.frame === frame && seen.height > height) return;
  viewports.set(camera, { height, frame });
}

/** Height of the picture that a camera draws, in physical pixels; the window's until it was first seen drawing. */
export function viewportHeightOf(camera: Camera): number {
  const seen = viewports.get(camera);
  if (seen) return seen.height;
  const { innerHeight, devicePixelRatio } = globalThis;
  return innerHeight > 0 ? innerHeight * devicePixelRatio : FALLBACK_HEIGHT;
}
