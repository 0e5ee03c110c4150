import type { CpuField } from '../../src/field/cpu-field.ts';
import type { Box3 } from '../../src/format/asset.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { between, seededRandom } from '../fixtures/random.ts';

/** Both distances as multiples of the tolerance; 1 where all that was looked at is nearer. */
export interface DenseReport {
  /** From the mesh to the zero set: of the farthest point found, an upper bound on its distance. */
  readonly forth: number;
  /** From the zero set to the mesh: exact for the farthest point found. */
  readonly back: number;
  readonly forthAt?: readonly number[];
  readonly backAt?: readonly number[];
}

/** Points looked at on each triangle, in barycentric coordinates. */
const ON_TRIANGLE = [
  [1 / 3, 1 / 3],
  [0.5, 0.5],
  [0.5, 0],
  [0, 0.5],
  [0.6, 0.2],
  [0.2, 0.6],
  [0.2, 0.2],
] as const;
const MOST_POINTS = 150_000;
/** Points of those whose triangles are looked at closely, and where: a share of a triangle may stand off that none of a few points is in. */
const WORST = 128;
const LATTICE_ON_TRIANGLE = Array.from({ length: 13 }, (_, i) =>
  Array.from({ length: 13 - i }, (_, j) => [i / 12, j / 12]),
).flat();
/** Cells an axis of the lattice on whose lines the zero set is looked for. */
const LATTICE = 56;
/** Short segments beside the mesh that are looked along. */
const SEGMENTS = 6000;
/** Points from which is climbed to places farther off, and tries on each. */
const CLIMBERS = 24;
const CLIMBS = 80;
/**
 * Distances along the gradient at which f's other sign is looked for: above 1 as multiples of |f| / |∇f|, just behind a plane
 * that may be the first of two; else as shares of the tolerance.
 */
const AIMS = [1.000001, 1.001, 1.1, 1.5, 3, 0.1, 0.5, 1, -1];
/** Spheres that are looked at within a distance: a part of the surface may be smaller than a hundredth of the tolerance. */
const PARTS = [1, 0.93, 0.8, 0.6, 0.4, 0.2, 0.07, 0.02, 5e-3, 1e-3, 1e-4];
/** Steps in which a distance beyond the tolerance is told. */
const BEYOND = Array.from({ length: 240 }, (_, i) => 1.02 ** (i + 1));

/** Holds a mesh against the zero set of its field in `bounds`, densely and slowly. Shares no code with the derivation or `checkMesh`. */
export function judgeDensely(
  mesh: SurfaceMesh,
  field: CpuField,
  bounds: Box3,
  tolerance: number,
  seed: number,
): DenseReport {
  const judge = new DenseJudge(mesh, field, bounds, tolerance, seed);
  return { ...judge.forth(), ...judge.back() };
}

class DenseJudge {
  private readonly mesh: SurfaceMesh;
  private readonly field: CpuField;
  private readonly bounds: Box3;
  private readonly tolerance: number;
  private readonly random: () => number;
  private readonly buckets = new Map<string, number[]>();
  private readonly cell: number;
  private readonly sphere = fibonacci(260);

  constructor(mesh: SurfaceMesh, field: CpuField, bounds: Box3, tolerance: number, seed: number) {
    this.mesh = mesh;
    this.field = field;
    this.bounds = bounds;
    this.tolerance = tolerance;
    this.random = seededRandom(seed + 99);
    const extent = Math.max(...[0, 1, 2].map((k) => bounds.max[k] - bounds.min[k]));
    this.cell = Math.max(2 * tolerance, extent / 64);
    for (let t = 0; t < mesh.indices.length; t += 3) this.sort(t);
  }

  private corner(t: number, k: number): number[] {
    const v = this.mesh.indices[t + k] * 3;
    return [this.mesh.positions[v], this.mesh.positions[v + 1], this.mesh.positions[v + 2]];
  }

  private sort(t: number): void {
    const corners = [0, 1, 2].map((k) => this.corner(t, k));
    const low = [0, 1, 2].map((k) => Math.floor(Math.min(...corners.map((c) => c[k])) / this.cell));
    const high = [0, 1, 2].map((k) => Math.floor(Math.max(...corners.map((c) => c[k])) / this.cell));
    for (let x = low[0]; x <= high[0]; x++)
      for (let y = low[1]; y <= high[1]; y++)
        for (let z = low[2]; z <= high[2]; z++) {
          const key = `${x},${y},${z}`;
          const bucket = this.buckets.get(key);
          if (bucket) bucket.push(t);
          else this.buckets.set(key, [t]);
        }
  }

  /** Distance from the mesh, exact up to `reach`; else of all triangles. */
  private distanceToMesh(p: readonly number[]): number {
    const { tolerance, cell } = this;
    const low = p.map((x) => Math.floor((x - tolerance) / cell));
    const high = p.map((x) => Math.floor((x + tolerance) / cell));
    let least = Number.POSITIVE_INFINITY;
    for (let x = low[0]; x <= high[0]; x++)
      for (let y = low[1]; y <= high[1]; y++)
        for (let z = low[2]; z <= high[2]; z++)
          for (const t of this.buckets.get(`${x},${y},${z}`) ?? [])
            least = Math.min(least, this.distanceToTriangle(p, t));
    if (least <= tolerance) return least;
    for (let t = 0; t < this.mesh.indices.length; t += 3)
      least = Math.min(least, this.distanceToTriangle(p, t));
    return least;
  }

  private distanceToTriangle(p: readonly number[], t: number): number {
    const [a, b, c] = [this.corner(t, 0), this.corner(t, 1), this.corner(t, 2)];
    const ab = minus(b, a);
    const ac = minus(c, a);
    const n = cross(ab, ac);
    const size = Math.hypot(...n);
    if (size > 0) {
      const w = minus(p, a);
      const s = dot(cross(w, ac), n) / (size * size);
      const r = dot(cross(ab, w), n) / (size * size);
      if (s >= 0 && r >= 0 && s + r <= 1) return Math.abs(dot(w, n)) / size;
    }
    return Math.min(toSegment(p, a, b), toSegment(p, b, c), toSegment(p, c, a));
  }

  private inside(p: readonly number[]): number[] {
    return p.map((x, k) => Math.min(this.bounds.max[k], Math.max(this.bounds.min[k], x)));
  }

  forth(): Pick<DenseReport, 'forth' | 'forthAt'> {
    const few = this.pointsOnMesh();
    const points = Float64Array.from([...few, ...this.pointsOnWorst(few)]);
    const n = points.length / 3;
    const values = new Float64Array(n);
    const gradients = new Float64Array(n * 3);
    this.field.evaluateWithGradient(points, values, gradients, n);
    const ahead = new Float64Array(n * 3);
    const valuesAhead = new Float64Array(n);
    let open = [...values.keys()].filter((i) => values[i] !== 0);
    for (const aim of AIMS) {
      open.forEach((i, j) => {
        const g = [...gradients.subarray(i * 3, i * 3 + 3)];
        const slope = Math.hypot(...g) || 1;
        const most = 0.98 * this.tolerance;
        const reach = aim > 1 ? Math.min(most, (aim * Math.abs(values[i])) / slope) : aim * most;
        const step = (values[i] > 0 ? -reach : reach) / slope;
        ahead.set(this.inside(g.map((x, k) => points[i * 3 + k] + step * x)), j * 3);
      });
      this.field.evaluate(ahead, valuesAhead, open.length);
      const isPositive = open.map((_, j) => valuesAhead[j] >= 0);
      open = open.filter((i, j) => isPositive[j] === values[i] >= 0);
    }
    let most = 1;
    let at: readonly number[] | undefined;
    for (const i of open) {
      const p = [...points.subarray(i * 3, i * 3 + 3)];
      const off = this.shareOff(p, values[i], most);
      if (off <= most) continue;
      most = off;
      at = p;
    }
    return { forth: most, ...(at && { forthAt: at }) };
  }

  private get stride(): number {
    return Math.max(1, Math.ceil((this.mesh.indices.length / 3) * (ON_TRIANGLE.length / MOST_POINTS)));
  }

  /** Many points of the triangles that were farthest off to first order, going by a few points of each. */
  private pointsOnWorst(few: Float64Array): number[] {
    const n = few.length / 3;
    const values = new Float64Array(n);
    const gradients = new Float64Array(n * 3);
    this.field.evaluateWithGradient(few, values, gradients, n);
    const off = values.map(
      (f, i) => Math.abs(f) / (Math.hypot(...gradients.subarray(i * 3, i * 3 + 3)) || 1e-9),
    );
    const worst = [...off.keys()].sort((i, j) => off[j] - off[i]).slice(0, WORST);
    const triangles = new Set(worst.map((i) => Math.floor(i / ON_TRIANGLE.length) * this.stride));
    return [...triangles].flatMap((t) => {
      const [a, b, c] = [0, 1, 2].map((k) => this.corner(t * 3, k));
      return LATTICE_ON_TRIANGLE.flatMap(([u, v]) => a.map((x, k) => x + u * (b[k] - x) + v * (c[k] - x)));
    });
  }

  private pointsOnMesh(): Float64Array {
    const nTriangles = this.mesh.indices.length / 3;
    const { stride } = this;
    const points: number[] = [];
    for (let t = 0; t < nTriangles; t += stride) {
      const [a, b, c] = [0, 1, 2].map((k) => this.corner(t * 3, k));
      for (const [u, v] of ON_TRIANGLE)
        for (let k = 0; k < 3; k++) points.push(a[k] + u * (b[k] - a[k]) + v * (c[k] - a[k]));
    }
    return Float64Array.from(points);
  }

  /** The first of {@link BEYOND} within which f has another sign, not less than `least`; 1 where it has within 1. */
  private shareOff(p: readonly number[], f: number, least: number): number {
    if (this.hasOtherSign(p, f, least)) return least;
    for (const share of BEYOND) {
      if (share <= least) continue;
      if (this.hasOtherSign(p, f, share)) return share;
    }
    return Number.POSITIVE_INFINITY;
  }

  private hasOtherSign(p: readonly number[], f: number, share: number): boolean {
    const { sphere, tolerance } = this;
    const n = sphere.length / 3;
    const points = new Float64Array(sphere.length);
    const values = new Float64Array(n);
    for (const part of PARTS) {
      const reach = part * share * tolerance;
      for (let i = 0; i < sphere.length; i++) {
        const k = i % 3;
        points[i] = Math.min(this.bounds.max[k], Math.max(this.bounds.min[k], p[k] + reach * sphere[i]));
      }
      this.field.evaluate(points, values, n);
      if (values.some((x) => x >= 0 !== f >= 0)) return true;
    }
    return false;
  }

  back(): Pick<DenseReport, 'back' | 'backAt'> {
    const roots = [...this.onLattice(), ...this.besideMesh()];
    if (this.mesh.indices.length === 0)
      return roots.length === 0 ? { back: 1 } : { back: Number.POSITIVE_INFINITY, backAt: roots[0] };
    const far = roots.map((p) => ({ p, distance: this.distanceToMesh(p) }));
    far.sort((a, b) => b.distance - a.distance);
    let best = far[0];
    for (const start of far.slice(0, CLIMBERS)) {
      const top = this.climb(start);
      if (top.distance > best.distance) best = top;
    }
    if (best === undefined || best.distance <= this.tolerance) return { back: 1 };
    return { back: best.distance / this.tolerance, backAt: best.p };
  }

  private climb(start: { p: number[]; distance: number }): { p: number[]; distance: number } {
    let best = start;
    for (let i = 0; i < CLIMBS; i++) {
      const reach = 2 * this.tolerance * 0.95 ** i;
      const from = this.inside(best.p.map((x) => x + between(this.random, -reach, reach)));
      const to = this.inside(best.p.map((x) => x + between(this.random, -reach, reach)));
      for (const p of this.rootsBetween([from, to])) {
        const distance = this.distanceToMesh(p);
        if (distance > best.distance) best = { p, distance };
      }
    }
    return best;
  }

  private onLattice(): number[][] {
    const { min, max } = this.bounds;
    const n = LATTICE + 1;
    const shift = [0, 1, 2].map(() => between(this.random, 0.1, 0.9));
    const place = (i: number, k: number): number =>
      min[k] + ((max[k] - min[k]) * Math.min(Math.max(0, i - shift[k]), LATTICE - 1)) / (LATTICE - 1);
    const points = new Float64Array(n ** 3 * 3);
    for (let i = 0; i < n ** 3; i++)
      for (let k = 0; k < 3; k++) points[i * 3 + k] = place(Math.floor(i / n ** k) % n, k);
    const values = new Float64Array(n ** 3);
    this.field.evaluate(points, values);
    const ends: number[][] = [];
    for (let i = 0; i < n ** 3; i++) {
      for (let k = 0; k < 3; k++) {
        const j = i + n ** k;
        if (Math.floor(i / n ** k) % n === n - 1 || values[i] >= 0 === values[j] >= 0) continue;
        ends.push([...points.subarray(i * 3, i * 3 + 3)], [...points.subarray(j * 3, j * 3 + 3)]);
      }
    }
    return this.rootsBetween(ends);
  }

  private besideMesh(): number[][] {
    const { indices } = this.mesh;
    if (indices.length === 0) return [];
    const ends: number[][] = [];
    for (let i = 0; i < SEGMENTS; i++) {
      const p = this.corner(3 * Math.floor((this.random() * indices.length) / 3), i % 3);
      const reach = this.tolerance * 10 ** between(this.random, -0.3, 1.2);
      for (let end = 0; end < 2; end++)
        ends.push(this.inside(p.map((x) => x + between(this.random, -reach, reach))));
    }
    return this.rootsBetween(ends);
  }

  /** A root on each of the segments (pairs of points) at whose ends f differs in sign. */
  private rootsBetween(ends: readonly (readonly number[])[]): number[][] {
    const n = ends.length / 2;
    const at = Float64Array.from(ends.flat());
    const values = new Float64Array(ends.length);
    this.field.evaluate(at, values);
    const crossed = Array.from({ length: n }, (_, i) => i).filter(
      (i) => values[2 * i] >= 0 !== values[2 * i + 1] >= 0,
    );
    const low = crossed.map(() => 0);
    const high = crossed.map(() => 1);
    const points = new Float64Array(crossed.length * 3);
    const middle = new Float64Array(crossed.length);
    const write = (): void =>
      crossed.forEach((i, j) => {
        const s = (low[j] + high[j]) / 2;
        for (let k = 0; k < 3; k++)
          points[j * 3 + k] = ends[2 * i][k] + s * (ends[2 * i + 1][k] - ends[2 * i][k]);
      });
    for (let step = 0; step < 22; step++) {
      write();
      this.field.evaluate(points, middle, crossed.length);
      crossed.forEach((i, j) => {
        const s = (low[j] + high[j]) / 2;
        if (middle[j] >= 0 === values[2 * i] >= 0) low[j] = s;
        else high[j] = s;
      });
    }
    write();
    return crossed.map((_, j) => [...points.subarray(j * 3, j * 3 + 3)]);
  }
}

function minus(a: readonly number[], b: readonly number[]): number[] {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function toSegment(p: readonly number[], a: readonly number[], b: readonly number[]): number {
  const d = minus(b, a);
  const w = minus(p, a);
  const s = Math.min(1, Math.max(0, dot(w, d) / (dot(d, d) || 1)));
  return Math.hypot(w[0] - s * d[0], w[1] - s * d[1], w[2] - s * d[2]);
}

/** Points on the unit sphere, evenly. */
function fibonacci(n: number): Float64Array {
  const points = new Float64Array(n * 3);
  for (let i = 0; i < n; i++) {
    const z = 1 - (2 * i + 1) / n;
    const r = Math.sqrt(1 - z * z);
    const angle = i * Math.PI * (3 - Math.sqrt(5));
    points.set([r * Math.cos(angle), r * Math.sin(angle), z], i * 3);
  }
  return points;
}
