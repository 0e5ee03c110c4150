import { type BufferGeometry, type Material, Mesh } from 'three';
import type { DerivedGeometry } from './derived-geometry.ts';
import { noteViewport } from './viewport-heights.ts';

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
