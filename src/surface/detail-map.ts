import type { Box3, Vec3 } from '../format/asset.ts';

/** Relative slack of a block: a box's side on a block's face touches the blocks on both sides of it. */
const TOUCHES = 1e-9;

/** Tolerances on a uniform division of a box in blocks. */
export interface ToleranceBlocks {
  /** Blocks along x, y, z. */
  readonly counts: Vec3;
  /** Tolerance of each block in local units, x fastest, then y, then z. */
  readonly tolerances: ArrayLike<number>;
}

/**
 * The tolerance by place. Whatever two blocks share (a face's chain, a triangle across) keeps the finer one's, so
 * that neighbours of different detail meet without a crack.
 */
export class DetailMap {
  readonly least: number;
  readonly most: number;
  readonly #tolerances: ArrayLike<number>;
  readonly #counts: Vec3;
  readonly #min: Vec3;
  readonly #size: Vec3;

  /** @param domain the box that the blocks divide. */
  constructor({ counts, tolerances }: ToleranceBlocks, { min, max }: Box3) {
    this.#tolerances = tolerances;
    this.#counts = counts;
    this.#min = min;
    this.#size = [
      (max[0] - min[0]) / counts[0],
      (max[1] - min[1]) / counts[1],
      (max[2] - min[2]) / counts[2],
    ];
    let [least, most] = [Number.POSITIVE_INFINITY, 0];
    for (let i = 0; i < tolerances.length; i++) {
      least = Math.min(least, tolerances[i]);
      most = Math.max(most, tolerances[i]);
    }
    this.least = least;
    this.most = most;
  }

  /** One tolerance everywhere. */
  static uniform(tolerance: number, domain: Box3): DetailMap {
    return new DetailMap({ counts: [1, 1, 1], tolerances: [tolerance] }, domain);
  }

  get isUniform(): boolean {
    return this.least === this.most;
  }

  /** The least tolerance of the blocks that a box touches, which may be flat; local units. */
  inBox(origin: ArrayLike<number>, size: ArrayLike<number>): number {
    if (this.least === this.most) return this.least;
    const [x0, y0, z0] = [0, 1, 2].map((k) => this.#block(k, origin[k], -TOUCHES));
    const [x1, y1, z1] = [0, 1, 2].map((k) => this.#block(k, origin[k] + size[k], TOUCHES));
    let least = Number.POSITIVE_INFINITY;
    for (let z = z0; z <= z1; z++) {
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          least = Math.min(least, this.#tolerances[x + this.#counts[0] * (y + this.#counts[1] * z)]);
        }
      }
    }
    return least;
  }

  /** The tolerance at a point p[offset...], the finer one's between blocks. */
  at(p: ArrayLike<number>, offset: number): number {
    if (this.least === this.most) return this.least;
    return this.inBox([p[offset], p[offset + 1], p[offset + 2]], [0, 0, 0]);
  }

  /** The least tolerance of the blocks that a segment's or a triangle's bounding box touches; its vertices' numbers. */
  along(positions: ArrayLike<number>, a: number, b: number, c = b): number {
    if (this.least === this.most) return this.least;
    const low = [0, 1, 2].map((k) =>
      Math.min(positions[a * 3 + k], positions[b * 3 + k], positions[c * 3 + k]),
    );
    const size = low.map(
      (x, k) => Math.max(positions[a * 3 + k], positions[b * 3 + k], positions[c * 3 + k]) - x,
    );
    return this.inBox(low, size);
  }

  #block(k: number, x: number, slack: number): number {
    const i = Math.floor((x - this.#min[k]) / this.#size[k] + slack);
    return Math.min(this.#counts[k] - 1, Math.max(0, i));
  }
}
