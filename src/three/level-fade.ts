import { type BufferGeometry, type Material, Mesh, type Object3D } from 'three';
import { hitNothing, type NSDFMesh } from './shown-mesh.ts';

/**
 * Dissolves a new level in over the one that an object's mesh shows: that stays as it is, and opaque, until the new one is
 * whole, so that nothing shows through. The new one is drawn by a mesh of its own, for as long as it takes, with a copy of
 * the material, `alphaHash` on, which needs no sorting.
 */
export class LevelFade {
  private _under: NSDFMesh | null = null;
  private _over: NSDFMesh | null = null;
  private _copied: Material | Material[] | null = null;
  private _copies: Material[] = [];
  private _startMs = 0;

  get isActive(): boolean {
    return this._over !== null;
  }

  /** Whether that is the mesh of a fade. */
  owns(object: Object3D): boolean {
    return this._over === object;
  }

  /** @param under shows the level before, in the scene. */
  start(under: NSDFMesh, geometry: BufferGeometry, nowMs: number): void {
    const over: NSDFMesh = new Mesh(geometry, under.material);
    over.name = under.name;
    over.raycast = hitNothing;
    over.matrixWorld.copy(under.matrixWorld); // it may be drawn in this very frame
    this._under = under;
    this._over = over;
    this._startMs = nowMs;
    this._follow(0);
    under.parent?.add(over);
  }

  /** @returns whether the fade has come to its end; `finish` is to be called then. */
  update(nowMs: number, fadeMs: number): boolean {
    const share = Math.min(1, (nowMs - this._startMs) / fadeMs);
    this._follow(share);
    return share === 1;
  }

  /** Ends a fade at once: its mesh is taken away. */
  finish(): void {
    this._over?.removeFromParent();
    this._under = this._over = null;
  }

  dispose(): void {
    this.finish();
    this._freeCopies();
  }

  /** Draws the new level as the one before is drawn, whatever is set on that meanwhile. */
  private _follow(share: number): void {
    const [under, over] = [this._under as NSDFMesh, this._over as NSDFMesh];
    over.position.copy(under.position);
    over.quaternion.copy(under.quaternion);
    over.scale.copy(under.scale);
    over.layers.mask = under.layers.mask;
    const { visible, castShadow, receiveShadow, frustumCulled, renderOrder, userData } = under;
    Object.assign(over, { visible, castShadow, receiveShadow, frustumCulled, renderOrder, userData });
    const { customDepthMaterial, customDistanceMaterial, onBeforeRender, onAfterRender } = under;
    Object.assign(over, { customDepthMaterial, customDistanceMaterial, onBeforeRender, onAfterRender });
    const { onBeforeShadow, onAfterShadow } = under;
    Object.assign(over, { onBeforeShadow, onAfterShadow });
    this._copyMaterial(under.material);
    over.material = Array.isArray(under.material) ? this._copies : this._copies[0];
    const own = [under.material].flat();
    this._copies.forEach((copy, i) => {
      copy.opacity = share * own[i].opacity;
    });
  }

  private _copyMaterial(material: Material | Material[]): void {
    if (this._copied === material) return;
    this._freeCopies();
    this._copied = material;
    this._copies = [material].flat().map((one) => Object.assign(one.clone(), { alphaHash: true }));
  }

  private _freeCopies(): void {
    for (const copy of this._copies) copy.dispose();
    this._copied = null;
    this._copies = [];
  }
}
