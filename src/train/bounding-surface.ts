import { createRandom } from '../surface/check-random.ts';
import type { Triangles } from '../surface/triangle-tree.ts';
import { componentsOf } from './components.ts';
import type { WindingTree } from './winding-tree.ts';

/** The part of a mesh that has its inside on one side and its outside on the other. */
export interface BoundingSurface {
  /** The mesh itself where all of it has; else some triangles are divided. */
  readonly surface: Triangles;
  /** Share of the area that lies inside, outside, under another part's face, or where the mesh is no border otherwise. */
  readonly buriedShare: number;
}

/** Points at which a mesh is looked at before it is taken apart, and the share of them that makes it worth it. */
const N_PROBES = 2048;
const PROBED_SHARE = 2e-3;
/** How far behind a triangle and in front of it one looks, in the cube. */
const STEP = 1e-4;
/** Triangles are divided to sides of this length to see whether they lie on both sides of another, and there to this. */
const COARSE = 0.06;
const FINE = 0.012;
/** Corners along the cube of the lattice whose cells are twice as large. */
const N_CORNERS = Math.floor(1 / FINE) + 2;
/** Samples a triangle: its middle, and one near each corner. */
const SAMPLES = [
  [1 / 3, 1 / 3],
  [0.05, 0.05],
  [0.9, 0.05],
  [0.05, 0.9],
];

/**
 * Drops what of a mesh bounds nothing: where parts overlap, what lies inside of another; where they touch, the walls between them; fins and
 * sheets. A triangle is a border where it has the inside behind it and the outside in front of it. By how much the winding number falls
 * between says nothing: by 2 where faces of two parts lie flush, of which one is kept. Distances are to be measured to the rest alone: a
 * sample on a wall inside a solid would say 0 there.
 * @param mesh in the cube [-1, 1]³.
 * @param tree of its triangles.
 */
export function boundingSurface(mesh: Triangles, tree: WindingTree): BoundingSurface {
  const search = new SideSearch(mesh, tree);
  const nBuried = search.probe();
  if (nBuried <= PROBED_SHARE * N_PROBES) return { surface: mesh, buriedShare: 0 };
  return search.takeApart();
}

/**
 * The part of every vertex of a surface that was taken apart, by the number of one of them. Along the seam where two parts cross, pieces
 * of either are missing: those that have vertices within two of the least pieces' sides belong together. Parts that lie as near
 * without crossing are taken for one.
 */
export function partsAcrossSeams({ positions, indices }: Triangles): Int32Array {
  const cells = Uint32Array.from({ length: positions.length / 3 }, (_, v) => {
    const [x, y, z] = [0, 1, 2].map((k) => Math.floor((positions[v * 3 + k] + 1) / (2 * FINE)));
    return x + N_CORNERS * (y + N_CORNERS * z);
  });
  const links = Array.from(indices, (v) => cells[v]);
  // A cell by its first corner. Vertices in one of them, or in two that meet, have a corner in common.
  for (const first of new Set(cells)) {
    for (let i = 1; i < 8; i++) {
      const corner = first + (i & 1) + N_CORNERS * (((i >> 1) & 1) + N_CORNERS * (i >> 2));
      links.push(first, corner, corner);
    }
  }
  const parts = componentsOf(links, N_CORNERS ** 3);
  return Int32Array.from(cells, (cell) => parts[cell]);
}

/** What a place of a triangle is. One that is covered is a border, but another triangle is there for it. */
type Place = 'border' | 'covered' | 'none';

class SideSearch {
  private readonly mesh: Triangles;
  private readonly tree: WindingTree;
  /** Of the triangle that is looked at, or is looked at a part of: its number; a corner, two sides, the unit normal, twice the area. */
  private triangle = -1;
  private corner: readonly number[] = [];
  private u: readonly number[] = [];
  private v: readonly number[] = [];
  private normal: readonly number[] = [];
  private area = 0;
  private readonly kept: number[] = [];

  constructor(mesh: Triangles, tree: WindingTree) {
    this.mesh = mesh;
    this.tree = tree;
  }

  /** How many of N_PROBES points, uniform by area, are no border. */
  probe(): number {
    const n = this.mesh.indices.length / 3;
    const sums = new Float64Array(n + 1);
    for (let t = 0; t < n; t++) sums[t + 1] = sums[t] + this.areaOf(t);
    const random = createRandom(1);
    let nBuried = 0;
    for (let i = 0, t = 0; i < N_PROBES; i++) {
      const goal = ((i + random()) / N_PROBES) * sums[n];
      while (t < n - 1 && sums[t + 1] <= goal) t++;
      this.triangle = t;
      this.look(this.cornersOf(t));
      const root = Math.sqrt(random());
      const share = random();
      if (this.placeAt(root * (1 - share), root * share) !== 'border') nBuried++;
    }
    return nBuried;
  }

  takeApart(): BoundingSurface {
    let total = 0;
    let left = 0;
    for (let t = 0; t * 3 < this.mesh.indices.length; t++) {
      const corners = this.cornersOf(t);
      this.triangle = t;
      this.look(corners);
      total += this.area;
      this.divide(corners);
    }
    for (let i = 0; i < this.kept.length; i += 9) {
      this.look(this.kept.slice(i, i + 9));
      left += this.area;
    }
    const indices = Uint32Array.from({ length: this.kept.length / 3 }, (_, i) => i);
    return { surface: { positions: Float64Array.from(this.kept), indices }, buriedShare: 1 - left / total };
  }

  /** Keeps what of a triangle is a border. Gives what it is, undefined where it was divided. */
  private divide(corners: readonly number[]): Place | undefined {
    this.look(corners);
    const longest = this.longestSide();
    const [place, ...others] = SAMPLES.map(([s, t]) => this.placeAt(s, t));
    const isOne = others.every((other) => other === place);
    if (longest <= FINE || (isOne && longest <= COARSE)) {
      // What sticks out into the inside would make a hollow there; a gap as small is bridged by what is beside it. Beside what is
      // covered nothing sticks out: rather a strip twice than a gap.
      const isCovered = isOne && place === 'covered';
      if (!isCovered && place !== 'none' && !others.includes('none')) this.kept.push(...corners);
      return isOne ? place : undefined;
    }
    const start = this.kept.length;
    const [a, b, c] = [0, 3, 6].map((i) => corners.slice(i, i + 3));
    const [ab, bc, ca] = [middle(a, b), middle(b, c), middle(c, a)];
    const parts = [
      [a, ab, ca],
      [ab, b, bc],
      [ca, bc, c],
      [ab, bc, ca],
    ].map((part) => this.divide(part.flat()));
    const [kind] = parts;
    if (kind === undefined || parts.some((part) => part !== kind)) return undefined;
    // All of one kind after all: one triangle again.
    this.kept.length = start;
    if (kind === 'border') this.kept.push(...corners);
    return kind;
  }

  private placeAt(s: number, t: number): Place {
    const { corner, u, v, normal, tree } = this;
    const at = corner.map((p, k) => p + s * u[k] + t * v[k]);
    const isInside = (step: number): boolean => {
      const [x, y, z] = at.map((p, k) => p + step * normal[k]);
      return tree.windingNumber(x, y, z) > 0.5;
    };
    if (!isInside(-STEP) || isInside(STEP)) return 'none';
    return tree.isCovered(at, normal, STEP, this.triangle) ? 'covered' : 'border';
  }

  /** Twice a triangle's area. */
  private areaOf(t: number): number {
    const { positions: p, indices } = this.mesh;
    const [a, b, c] = [indices[t * 3] * 3, indices[t * 3 + 1] * 3, indices[t * 3 + 2] * 3];
    const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
    const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
    return Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx);
  }

  private cornersOf(t: number): number[] {
    const { positions, indices } = this.mesh;
    return [0, 1, 2].flatMap((k) => {
      const v = indices[t * 3 + k] * 3;
      return [positions[v], positions[v + 1], positions[v + 2]];
    });
  }

  private look(c: readonly number[]): void {
    this.corner = [c[0], c[1], c[2]];
    const [ux, uy, uz] = [c[3] - c[0], c[4] - c[1], c[5] - c[2]];
    const [vx, vy, vz] = [c[6] - c[0], c[7] - c[1], c[8] - c[2]];
    const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    this.u = [ux, uy, uz];
    this.v = [vx, vy, vz];
    this.area = Math.hypot(nx, ny, nz);
    const scale = this.area > 0 ? 1 / this.area : 0;
    this.normal = [nx * scale, ny * scale, nz * scale];
  }

  private longestSide(): number {
    const { u, v } = this;
    return Math.max(Math.hypot(...u), Math.hypot(...v), Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2]));
  }
}

function middle(a: readonly number[], b: readonly number[]): number[] {
  return a.map((x, k) => 0.5 * (x + b[k]));
}
