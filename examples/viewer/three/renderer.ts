import { Group, PCFShadowMap, type Plane, WebGLRenderer } from 'three';
import type { WebGPURenderer } from 'three/webgpu';

/** What the viewer needs of either renderer. */
export interface ViewRenderer {
  readonly kind: 'webgpu' | 'webgl';
  /** Why this one was taken. */
  readonly reason: string;
  readonly renderer: WebGLRenderer | WebGPURenderer;
  /** What is cut by planes goes here; WebGLRenderer takes them from the materials. */
  readonly clipped: Group & { clippingPlanes?: Plane[] };
}

/** Makes a WebGPURenderer where an adapter answers, else a WebGLRenderer; `wanted` 'webgl' skips the question. */
export async function createRenderer(
  canvas: HTMLCanvasElement,
  wanted: string | null,
): Promise<ViewRenderer> {
  const refusal = wanted === 'webgl' ? 'asked for by ?renderer=webgl' : await webgpuRefusal();
  const view = refusal === null ? await createWebGPU(canvas) : createWebGL(canvas, refusal);
  view.renderer.shadowMap.enabled = true;
  view.renderer.shadowMap.type = PCFShadowMap;
  return view;
}

async function createWebGPU(canvas: HTMLCanvasElement): Promise<ViewRenderer> {
  const { WebGPURenderer: Renderer, ClippingGroup } = await import('three/webgpu');
  const renderer = new Renderer({ canvas, antialias: true });
  await renderer.init();
  return { kind: 'webgpu', reason: 'a WebGPU adapter is there', renderer, clipped: new ClippingGroup() };
}

function createWebGL(canvas: HTMLCanvasElement, reason: string): ViewRenderer {
  const renderer = new WebGLRenderer({ canvas, antialias: true });
  renderer.localClippingEnabled = true;
  return { kind: 'webgl', reason, renderer, clipped: new Group() };
}

/** Why WebGPU cannot be used here, or null if it can. */
async function webgpuRefusal(): Promise<string | null> {
  if (!navigator.gpu) return 'this browser has no WebGPU';
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter ? null : 'no WebGPU adapter';
}
