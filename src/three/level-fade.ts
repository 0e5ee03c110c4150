import type { Material } from 'three';
import type { NSDFMesh } from './nsdf-mesh.ts';

type Materials = Material | Material[];

/**
 * Dissolves a new level in over the one before it: the old one stays opaque until the new one is whole, so that nothing
 * shows through. The new one is drawn with a copy of the material, `alphaHash` on, which needs no sorting.
 */
export class LevelFade {
  #from: NSDFMesh | null = null;
  #to: NSDFMesh | null = null;
  #own: Materials | null = null;
  #fading: Materials | null = null;
  #copied: Materials | null = null;
  #startMs = 0;

  get isActive(): boolean {
    return this.#to !== null;
  }

  /** Whether the mesh has to be drawn beside the one shown. */
  holds(mesh: NSDFMesh): boolean {
    return mesh === this.#from;
  }

  start(from: NSDFMesh, to: NSDFMesh, nowMs: number): void {
    this.#from = from;
    this.#to = to;
    this.#own = to.material;
    if (this.#copied !== to.material) {
      this.#freeCopy();
      this.#fading = Array.isArray(to.material) ? to.material.map(copyOf) : copyOf(to.material);
      this.#copied = to.material;
    }
    to.material = this.#fading as Materials;
    this.#startMs = nowMs;
  }

  /** @returns whether the fade has come to its end; `finish` is to be called then. */
  update(nowMs: number, fadeMs: number): boolean {
    const share = Math.min(1, (nowMs - this.#startMs) / fadeMs);
    const own = [this.#own as Materials].flat();
    [this.#fading as Materials].flat().forEach((material, i) => {
      material.opacity = share * own[i].opacity;
    });
    return share === 1;
  }

  /** Ends a fade at once: the new level has its own material again. */
  finish(): void {
    if (this.#to && this.#own) this.#to.material = this.#own;
    this.#from = this.#to = this.#own = null;
  }

  dispose(): void {
    this.finish();
    this.#freeCopy();
  }

  #freeCopy(): void {
    for (const material of [this.#fading ?? []].flat()) material.dispose();
    this.#fading = this.#copied = null;
  }
}

function copyOf(material: Material): Material {
  const copy = material.clone();
  copy.alphaHash = true;
  return copy;
}
