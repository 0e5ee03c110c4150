import { growFloat64, growInt32, length3 } from '../arrays.ts';
import type { Crease } from './chords.ts';
import type { Landmarks } from './cover.ts';
import { CrossingSolver } from './crossing.ts';
import type { Patch } from './patch.ts';
import { TriangleTree } from './triangle-tree.ts';

/** Points along each side of a leaf at which the sign is looked at. */
const N = 4;
/** Halvings of a step with a root: to see whether it is missed, and to put it on the zero set. */
const FEW_HALVINGS = 8;
const HALVINGS = 48;
/**
 * Tolerances between the places along a sharp crease that are looked at, and places at least and at most: with three on any
 * a curved edge of 59 tolerances stood off by 1.3 between the vertices that refinement had put on them.
 */
const STEP = 3;
const LEAST_PLACES = 3;
const MOST_PLACES = 24;
/** Share of the tolerance beyond which a point of the zero set counts as missed by the leaf's own triangles. */
const SHARE = 0.85;

/**
 * Looks for points of the zero set in a leaf that its triangles are not near: where f is not known to increase along a
 * direction there may be several sheets, and beside a sharp edge triangles that are near the zero set leave out its tip.
 */
export class MissedFinder {
  readonly landmarks: Landmarks = { positions: new Float64Array(0), near: new Int32Array(0), n: 0 };
  readonly #patch: Patch;
  readonly #solver: CrossingSolver;
  readonly #isPositive = new Uint8Array(N ** 3);
  readonly #point = [0, 0, 0];

  constructor(patch: Patch) {
    this.#patch = patch;
    this.#solver = new CrossingSolver(patch);
  }

  /** Adds what of the sharp creases that were met when the patch was split is missed. */
  findAlongCreases(creases: readonly Crease[], tolerance: number): void {
    if (creases.length === 0) return;
    const patch = this.#patch;
    const point = this.#point;
    const tree = this.#treeOfPatch();
    for (const { from, to, unit } of creases) {
      const length = length3(to[0] - from[0], to[1] - from[1], to[2] - from[2]);
      const n = Math.min(MOST_PLACES, Math.max(LEAST_PLACES, Math.ceil(length / (STEP * tolerance))));
      for (let i = 1; i <= n; i++) {
        if (!this.#solver.alongCrease(from, to, unit, i / (n + 1))) continue;
        for (let k = 0; k < 3; k++) point[k] = patch.point[k];
        if (tree.closest(point[0], point[1], point[2]) > SHARE * tolerance) this.#add();
      }
    }
  }

  /** Adds what the patch misses by more than the tolerance allows; its triangles are those of one leaf. */
  find(tolerance: number): void {
    const patch = this.#patch;
    const isPositive = this.#isPositive;
    const point = this.#point;
    if (length3(patch.size[0], patch.size[1], patch.size[2]) <= tolerance) return;
    for (let i = 0; i < N ** 3; i++) {
      this.#place(i);
      isPositive[i] = patch.evaluate(point[0], point[1], point[2]) >= 0 ? 1 : 0;
    }
    let tree: TriangleTree | undefined;
    for (let i = 0; i < N ** 3; i++) {
      for (let axis = 0, step = 1; axis < 3; axis++, step *= N) {
        if (Math.floor(i / step) % N === N - 1 || isPositive[i] === isPositive[i + step]) continue;
        this.#bisect(i, axis, FEW_HALVINGS);
        tree ??= this.#treeOfPatch();
        if (tree.closest(point[0], point[1], point[2]) <= SHARE * tolerance) continue;
        this.#bisect(i, axis, HALVINGS);
        this.#add();
      }
    }
  }

  #place(i: number): void {
    const { origin, size } = this.#patch;
    for (let k = 0, step = 1; k < 3; k++, step *= N)
      this.#point[k] = origin[k] + (size[k] * ((Math.floor(i / step) % N) + 0.5)) / N;
  }

  #bisect(i: number, axis: number, nHalvings: number): void {
    const patch = this.#patch;
    const point = this.#point;
    this.#place(i);
    let lo = point[axis];
    let hi = lo + patch.size[axis] / N;
    for (let n = 0; n < nHalvings; n++) {
      point[axis] = 0.5 * (lo + hi);
      if (patch.evaluate(point[0], point[1], point[2]) >= 0 === (this.#isPositive[i] === 1)) lo = point[axis];
      else hi = point[axis];
    }
  }

  #treeOfPatch(): TriangleTree {
    const { triangles, nVertices, x, y, z } = this.#patch;
    const positions = new Float64Array(nVertices * 3);
    for (let v = 0; v < nVertices; v++) positions.set([x[v], y[v], z[v]], v * 3);
    return new TriangleTree({ positions, indices: Uint32Array.from(triangles) });
  }

  #add(): void {
    const { landmarks: to } = this;
    const patch = this.#patch;
    const point = this.#point;
    to.positions = growFloat64(to.positions, (to.n + 1) * 3);
    to.near = growInt32(to.near, to.n + 1);
    to.positions.set(point, to.n * 3);
    to.near[to.n++] = patch.id[0];
  }
}
