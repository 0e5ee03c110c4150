import type { BufferGeometry, Camera, Material, WebGLRenderer } from 'three';
import { Color, Mesh, MeshStandardMaterial, Vector4 } from 'three';
import { DEFAULT_LOOK } from '../plugin/geometry.ts';
import type { DerivedGeometry } from './geometry.ts';

/** The mesh of an `NSDFObject`: an ordinary three mesh. */
export type NSDFMesh = Mesh<BufferGeometry, Material | Material[]>;

/**
 * The one mesh of an `NSDFObject`. Only its geometry is ever exchanged: whatever an application sets on it (material,
 * layers, shadows, callbacks, `userData`) stays.
 */
export class ShownMesh {
  readonly mesh: NSDFMesh;
  private _derived: DerivedGeometry;

  /** @param mesh a copy of another one's, which shows that geometry already. */
  constructor(derived: DerivedGeometry, mesh: NSDFMesh) {
    this.mesh = mesh;
    this._derived = derived;
    // Tells the levels of detail how high the picture is that a camera draws.
    mesh.onBeforeRender = noteViewport;
    this.show(derived);
  }

  static create(derived: DerivedGeometry, material: Material | Material[]): ShownMesh {
    return new ShownMesh(derived, new Mesh(derived.geometry, material));
  }

  get derived(): DerivedGeometry {
    return this._derived;
  }

  /** Exchanges the geometry; the one before is the caller's to dispose of. */
  show(derived: DerivedGeometry): void {
    const { mesh } = this;
    // Most geometry lies where its positions say, and the mesh where an application puts it.
    const { origin } = derived;
    if (origin ?? this._derived.origin) mesh.position.set(...(origin ?? [0, 0, 0]));
    this._derived = derived;
    mesh.geometry = derived.geometry;
    if (derived.geometry.userData.nsdf?.isOnGpu) mesh.raycast = hitNothing;
    else if (mesh.raycast === hitNothing) delete (mesh as Partial<Pick<NSDFMesh, 'raycast'>>).raycast;
  }
}

/** `Mesh.raycast` of what has no vertices on this side, or is on its way out. */
export function hitNothing(): void {}

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
function noteViewport(renderer: WebGLRenderer, _scene: unknown, camera: Camera): void {
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

/** What a field gets where its file names no material; one that has colours shows those instead of ours. */
export function createDefaultMaterial(isColored = false): MeshStandardMaterial {
  const { name, baseColor, roughness, metalness } = DEFAULT_LOOK;
  const color = isColored ? new Color(1, 1, 1) : new Color(...baseColor);
  return new MeshStandardMaterial({ name, color, roughness, metalness, vertexColors: isColored });
}
