import { type BufferGeometry, type Intersection, type LOD, type Material, Mesh, type Raycaster } from 'three';
import type { DeriveStats } from '../index.ts';
import { noteViewport } from './viewport-heights.ts';

/** One level of an `NSDFObject`: the derived surface as an ordinary three mesh. */
export class NSDFMesh extends Mesh<BufferGeometry, Material | Material[]> {
  readonly isNSDFMesh = true;
  /** Counts and times of the derivation that made this level; null before one has. */
  stats: DeriveStats | null = null;
  /** True where the field has no zero set, so that there is nothing to draw. */
  isEmpty = false;

  /** Tells the levels of detail how high the picture is that a camera draws. Replaced, `LodSettings.viewportHeight` can. */
  override onBeforeRender: Mesh['onBeforeRender'] = noteViewport;

  override copy(source: this, recursive?: boolean): this {
    super.copy(source, recursive);
    this.stats = source.stats;
    this.isEmpty = source.isEmpty;
    return this;
  }

  /**
   * Takes part only as the level that is shown, and not where its `NSDFObject` has answered for it already: three
   * asks a LOD and then its children again, which would give every hit twice. A surface that is on the GPU alone is not hit.
   */
  override raycast(raycaster: Raycaster, intersects: Intersection[]): void {
    if (this.#isHiddenLevel() || this.geometry.userData.nsdf?.isOnGpu) return;
    if (intersects.some((hit) => hit.object === this)) return;
    super.raycast(raycaster, intersects);
  }

  #isHiddenLevel(): boolean {
    const owner = this.parent as (LOD & { readonly mesh?: unknown }) | null;
    return owner?.isLOD === true && owner.mesh !== this && owner.levels.some(({ object }) => object === this);
  }
}
