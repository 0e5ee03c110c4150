import type { Box3 } from '../format/asset.ts';
import type { CheckField } from './check-field.ts';
import { writeDirection } from './check-random.ts';
import { RayBatch } from './distance-samples.ts';

/** Random directions tried on the sphere of the best distance; 14 meet a plane at half that distance in 98 %. */
const N_SPHERE = 14;
/** Widths of the random changes of the best direction, each tried twice. */
const NUDGES = [0.5, 0.25, 0.12, 0.06, 0.03];
/** Rounds in which the direction follows the gradient at the best root. */
const N_GRADIENT = 3;
/** Growth of the marching steps: plates thicker than 15 % of their distance are not jumped. */
const MARCH = 1.15;
/** First of these steps where the slope leads nowhere, as a share of the way to the domain's border. */
const FIRST_STEP = 1e-4;
/** Places between the point and its best root where the sign is looked at: plates thicker than that are not jumped. */
const N_SCAN = 12;
/** Spheres around a point on which a much shorter way than the best is looked for: the first, in first-order estimates of the distance, and how they grow. */
const NEAREST = 0.7;
const GROWTH = 1.25;
const MAX_RADII = 32;
/** First-order estimates beyond this many best distances are of places where f is next to constant. */
const MEANINGLESS = 4;
/** Directions tried on each. */
const N_DIRECTIONS = 48;
/** Share of the best distance from which on a sphere tells nothing new. */
const FAR = 0.8;
/** Random directions in which points are taken along whole rays that have met nothing. */
const N_LOST = 64;
const RELATIVE_ERROR = 1e-5;

/**
 * Distances from points to the zero set inside the domain. Every distance is that of a root that was found, so it is
 * an upper bound, never too short; that it is the shortest is searched for: along the gradient at the point, along the
 * gradients at the roots, on spheres around the first-order estimate, along random directions within the best distance.
 * |f| is never taken for a distance.
 * @param points f64[3n], local units; one outside the domain is measured by way of the domain's nearest point.
 * @returns f64[n]; Infinity where no ray met the zero set.
 */
export function distancesToZeroSet(
  field: CheckField,
  points: Float64Array,
  domain: Box3,
  random: () => number,
): Float64Array {
  const inside = points.map((x, i) => Math.min(domain.max[i % 3], Math.max(domain.min[i % 3], x)));
  const search = new ZeroSetSearch(field, inside, domain, random);
  search.march();
  search.followGradients();
  search.scan();
  search.bracketEstimate();
  search.searchSphere();
  search.nudge();
  search.followGradients();
  return search.best.map((distance, i) => distance + distanceBetween(points, inside, i * 3));
}

function distanceBetween(a: Float64Array, b: Float64Array, k: number): number {
  return Math.hypot(a[k] - b[k], a[k + 1] - b[k + 1], a[k + 2] - b[k + 2]);
}

class ZeroSetSearch {
  /** f64[n], the shortest distance to a root so far. */
  readonly best: Float64Array;
  readonly #field: CheckField;
  readonly #domain: Box3;
  readonly #random: () => number;
  readonly #rays: RayBatch;
  /** f64[n] */
  readonly #values: Float64Array;
  /** f64[3n] */
  readonly #gradients: Float64Array;
  /** f64[3n], the directions of the best roots. */
  readonly #towards: Float64Array;
  /** Points that are not on the zero set already. */
  readonly #all: number[] = [];

  constructor(field: CheckField, points: Float64Array, domain: Box3, random: () => number) {
    const n = points.length / 3;
    this.#field = field;
    this.#domain = domain;
    this.#random = random;
    this.#rays = new RayBatch(field, n);
    this.#rays.origins.set(points);
    this.#values = new Float64Array(n);
    this.#gradients = new Float64Array(n * 3);
    this.#towards = new Float64Array(n * 3);
    this.best = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
    field.evaluateWithGradient(points, this.#values, this.#gradients);
    for (let id = 0; id < n; id++) {
      if (this.#values[id] === 0) this.best[id] = 0;
      else this.#all.push(id);
    }
  }

  /**
   * First roots: out along the gradient in growing steps; where that meets nothing, along the faces of the domain that it
   * leads through, then along random directions.
   */
  march(): void {
    for (const id of this.#all) this.#aimAlongGradient(id, this.#gradients, id * 3);
    this.#marchRays(this.#all);
    const stopped = this.#all.filter((id) => this.best[id] === Number.POSITIVE_INFINITY);
    this.#marchRays(stopped.filter((id) => this.#turnAlongFaces(id)));
    for (let attempt = 0; attempt < N_LOST; attempt++) {
      const lost = this.#all.filter((id) => this.best[id] === Number.POSITIVE_INFINITY);
      if (lost.length === 0) return;
      for (const id of lost) writeDirection(this.#random, this.#rays.directions, id * 3);
      this.#marchRays(lost);
    }
  }

  /**
   * At the nearest point of a smooth surface the gradient points along the way to it. Looks just behind the plane
   * through the root first: at the full distance the ray may have left a thin plate again.
   */
  followGradients(): void {
    let ids = this.#all.filter((id) => Number.isFinite(this.best[id]));
    for (let round = 0; round < N_GRADIENT && ids.length > 0; round++) {
      const roots = new Float64Array(ids.length * 3);
      for (let j = 0; j < ids.length; j++) {
        for (let axis = 0; axis < 3; axis++) {
          const k = ids[j] * 3 + axis;
          roots[j * 3 + axis] = this.#rays.origins[k] + this.best[ids[j]] * this.#towards[k];
        }
      }
      const gradients = new Float64Array(roots.length);
      this.#field.evaluateWithGradient(roots, new Float64Array(ids.length), gradients);
      const beyondPlane = new Float64Array(this.best.length);
      for (let j = 0; j < ids.length; j++) {
        this.#aimAlongGradient(ids[j], gradients, j * 3);
        beyondPlane[ids[j]] = 1.05 * this.#cosineToBest(ids[j]);
      }
      const improved = new Set(this.#shorten(ids, (id) => beyondPlane[id]));
      ids = [...improved, ...this.#shorten(ids.filter((id) => !improved.has(id)))];
    }
  }

  /** Two roots before the best one, of a plate between, leave its sign as it was: look in between. */
  scan(): void {
    for (const id of this.#all) {
      for (let k = id * 3; k < id * 3 + 3; k++) this.#rays.directions[k] = this.#towards[k];
    }
    for (let i = 1; i < N_SCAN; i++) this.#shorten(this.#all, () => i / N_SCAN);
  }

  /**
   * Where |f| / |∇f| is far below the best distance the first ray may have jumped a fold of the zero set: looks in many
   * directions on spheres that grow from below that estimate to the best distance, so that the first sign met is near the
   * nearest.
   */
  bracketEstimate(): void {
    const estimates = this.#values.map((value, id) => {
      const [gx, gy, gz] = this.#gradients.subarray(id * 3, id * 3 + 3);
      const estimate = Math.abs(value) / Math.hypot(gx, gy, gz);
      return estimate < MEANINGLESS * this.best[id] ? estimate : this.best[id] * GROWTH ** -MAX_RADII;
    });
    const isFar = (id: number, radius: number): boolean =>
      Number.isFinite(this.best[id]) && radius > 0 && radius < FAR * this.best[id];
    let open = this.#all.filter((id) => isFar(id, estimates[id] * NEAREST));
    const radii = estimates.map((estimate) => estimate * NEAREST);
    for (let round = 0; round < MAX_RADII && open.length > 0; round++) {
      const found = new Set<number>();
      for (let i = 0; i < N_DIRECTIONS; i++) {
        const still = open.filter((id) => isFar(id, radii[id]));
        for (const id of still) writeDirection(this.#random, this.#rays.directions, id * 3);
        for (const id of this.#shorten(still, (id) => radii[id] / this.best[id])) found.add(id);
      }
      open = open.filter((id) => !found.has(id));
      for (const id of open) radii[id] *= GROWTH;
      open = open.filter((id) => isFar(id, radii[id]));
    }
  }

  /** Looks for roots in random directions, nearer than the best ones. */
  searchSphere(): void {
    for (let i = 0; i < N_SPHERE; i++) {
      for (const id of this.#all) writeDirection(this.#random, this.#rays.directions, id * 3);
      this.#shorten(this.#all);
    }
  }

  /** The nearest point of a crease is where no gradient points: change the best direction at random. */
  nudge(): void {
    const { directions } = this.#rays;
    for (const width of NUDGES.flatMap((w) => [w, w])) {
      for (const id of this.#all) {
        const k = id * 3;
        writeDirection(this.#random, directions, k);
        for (let axis = 0; axis < 3; axis++) {
          directions[k + axis] = this.#towards[k + axis] + width * directions[k + axis];
        }
        normalise(directions, k);
      }
      this.#shorten(this.#all);
    }
  }

  /** Cosine of the angle between ray `id` and the way to its best root. */
  #cosineToBest(id: number): number {
    let sum = 0;
    for (let k = id * 3; k < id * 3 + 3; k++) sum += this.#rays.directions[k] * this.#towards[k];
    return sum;
  }

  /** Points ray `id` the way in which |f| falls; anywhere where there is no gradient. */
  #aimAlongGradient(id: number, gradients: Float64Array, k: number): void {
    const { directions } = this.#rays;
    const sign = this.#values[id] >= 0 ? -1 : 1;
    for (let axis = 0; axis < 3; axis++) directions[id * 3 + axis] = sign * gradients[k + axis];
    if (!normalise(directions, id * 3)) writeDirection(this.#random, directions, id * 3);
  }

  /** Takes from ray `id` what leads out of the domain before the zero set can be met; false where nothing is left. */
  #turnAlongFaces(id: number): boolean {
    const { directions, origins } = this.#rays;
    const [gx, gy, gz] = this.#gradients.subarray(id * 3, id * 3 + 3);
    const guess = Math.abs(this.#values[id]) / Math.hypot(gx, gy, gz);
    for (let axis = 0; axis < 3; axis++) {
      const d = directions[id * 3 + axis];
      const x = origins[id * 3 + axis];
      const room = d > 0 ? this.#domain.max[axis] - x : x - this.#domain.min[axis];
      if (Math.abs(d) * guess > room) directions[id * 3 + axis] = 0;
    }
    return normalise(directions, id * 3);
  }

  #marchRays(ids: readonly number[]): void {
    const { low, high, valueLow, valueHigh, t } = this.#rays;
    const exits = new Float64Array(t.length);
    const bracketed: number[] = [];
    for (const id of ids) {
      const [gx, gy, gz] = this.#gradients.subarray(id * 3, id * 3 + 3);
      exits[id] = this.#rays.exitDistance(id, this.#domain);
      low[id] = 0;
      valueLow[id] = this.#values[id];
      const guess = (1.1 * Math.abs(this.#values[id])) / Math.hypot(gx, gy, gz);
      // Where f is next to constant its slope says nothing.
      t[id] = guess > 0 && guess < exits[id] ? guess : exits[id] * FIRST_STEP;
    }
    let active = ids.filter((id) => t[id] > 0);
    while (active.length > 0) {
      const values = this.#rays.probe(active);
      const open: number[] = [];
      for (let j = 0; j < active.length; j++) {
        const id = active[j];
        if (values[j] >= 0 !== valueLow[id] >= 0) {
          [high[id], valueHigh[id]] = [t[id], values[j]];
          bracketed.push(id);
        } else if (t[id] < exits[id]) {
          [low[id], valueLow[id]] = [t[id], values[j]];
          t[id] = Math.min(exits[id], t[id] * MARCH);
          open.push(id);
        }
      }
      active = open;
    }
    this.#acceptRoots(bracketed);
  }

  /**
   * Takes roots along the rays' directions that are nearer than the best, or than a part of it; returns the points
   * that have one.
   */
  #shorten(ids: readonly number[], part: (id: number) => number = () => 1): number[] {
    const { low, high, valueLow, valueHigh, t } = this.#rays;
    for (const id of ids)
      t[id] = Math.min(Math.min(1, part(id)) * this.best[id], this.#rays.exitDistance(id, this.#domain));
    const open = ids.filter((id) => t[id] > 0 && Number.isFinite(this.best[id]));
    const values = this.#rays.probe(open);
    const bracketed: number[] = [];
    for (let j = 0; j < open.length; j++) {
      const id = open[j];
      if (values[j] >= 0 === this.#values[id] >= 0) continue;
      [low[id], valueLow[id]] = [0, this.#values[id]];
      [high[id], valueHigh[id]] = [t[id], values[j]];
      bracketed.push(id);
    }
    return this.#acceptRoots(bracketed);
  }

  /** Returns the points whose distance fell by more than the error of a root. */
  #acceptRoots(ids: readonly number[]): number[] {
    this.#rays.findRoots(ids, RELATIVE_ERROR);
    const { t, directions } = this.#rays;
    const improved: number[] = [];
    for (const id of ids) {
      if (t[id] >= this.best[id]) continue;
      if (t[id] < this.best[id] * (1 - 10 * RELATIVE_ERROR)) improved.push(id);
      this.best[id] = t[id];
      for (let k = id * 3; k < id * 3 + 3; k++) this.#towards[k] = directions[k];
    }
    return improved;
  }
}

/** Scales v[k..k+2] to unit length; false where that is impossible. */
function normalise(v: Float64Array, k: number): boolean {
  const length = Math.hypot(v[k], v[k + 1], v[k + 2]);
  if (!(length > 0)) return false;
  for (let i = k; i < k + 3; i++) v[i] /= length;
  return true;
}
