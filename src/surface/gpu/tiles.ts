import { NsdfUnsupportedError } from '../../errors.ts';
import type { Box3, Vec3 } from '../../format/asset.ts';
import type { Lattice } from '../../partition/corners.ts';
import type { SurfacePlan } from './surface-program.ts';

/** Boxes of a lattice along x, y, z: from one on, up to one. */
export interface BoxRange {
  readonly first: Vec3;
  readonly end: Vec3;
}

/** The part of a lattice that a derivation is for. What is beside it has a part in how its faces are divided. */
export interface Tile extends BoxRange {
  /** Where the mesh ends because another tile goes on, local units; `FAR` away where it does not. */
  readonly seams: Box3;
}

const FAR = 3e38;
/** Boxes beside a tile that its lattice has, too: those that share a rectangle or an edge with one of its own. */
const MARGIN = 1;
/** Boxes along its longest axis below which a tile is not halved: it would be all margin. */
const LEAST_BOXES = 8;

/** All of a lattice. */
export function wholeTile(lattice: Lattice): Tile {
  return {
    ...wholeRange(lattice),
    seams: { min: [-FAR, -FAR, -FAR], max: [FAR, FAR, FAR] },
  };
}

/** All boxes of a lattice. */
export function wholeRange({ planes }: Lattice): BoxRange {
  const [x, y, z] = planes.map((axis) => axis.length - 1);
  return { first: [0, 0, 0], end: [x, y, z] };
}

/**
 * The plan of a part of what `plan` derives. Whatever lies on a face between two such parts comes out the same, bit by
 * bit, in both: it depends on the boxes that touch that face only, and both parts' lattices have these.
 */
export function planTile(plan: SurfacePlan, { first, end }: BoxRange): SurfacePlan {
  const { planes, subBits } = plan.lattice;
  const counts = planes.map((axis) => axis.length - 1);
  const lo = first.map((n) => Math.max(0, n - MARGIN));
  const hi = end.map((n, k) => Math.min(counts[k], n + MARGIN));
  const [x, y, z] = planes.map((axis, k) => axis.subarray(lo[k], hi[k] + 1));
  const from = (at: Vec3): Vec3 => [at[0] - lo[0], at[1] - lo[1], at[2] - lo[2]];
  const seam = (at: Vec3, none: Vec3, far: number): Vec3 => {
    const [a, b, c] = planes.map((axis, k) => (at[k] === none[k] ? far : Math.fround(axis[at[k]])));
    return [a, b, c];
  };
  const whole = wholeRange(plan.lattice);
  return {
    ...plan,
    lattice: { planes: [x, y, z], subBits, rootBits: 0 },
    tile: {
      first: from(first),
      end: from(end),
      seams: { min: seam(first, whole.first, -FAR), max: seam(end, whole.end, FAR) },
    },
  };
}

/** Both halves of a range across its longest axis, the lower one first; undefined where it is too small to be halved. */
export function halve({ first, end }: BoxRange): readonly [BoxRange, BoxRange] | undefined {
  const counts = end.map((n, k) => n - first[k]);
  const longest = Math.max(...counts);
  if (longest < 2 * LEAST_BOXES) return undefined;
  const axis = counts.indexOf(longest);
  const cut = first[axis] + (longest >> 1);
  const at = (corner: Vec3): Vec3 => {
    const [x, y, z] = corner.map((n, k) => (k === axis ? cut : n));
    return [x, y, z];
  };
  return [
    { first, end: at(end) },
    { first: at(first), end },
  ];
}

/** Bits of a corner's coordinate, and planes that a block's coordinate can name. */
const COORDINATE_BITS = 21;
const MAX_PLANES = 65535;

/** Boxes along x, y, z. */
export function countsOf({ planes }: Lattice): [number, number, number] {
  return planes.map((axis) => axis.length - 1) as [number, number, number];
}

/** @throws {NsdfUnsupportedError} if a lattice has too many planes, or too few */
export function checkLattice({ planes, subBits }: Lattice): void {
  const most = Math.max(...planes.map((axis) => axis.length));
  const isFine = Math.log2(most) + subBits <= COORDINATE_BITS;
  if (most <= MAX_PLANES && isFine && Math.min(...planes.map((axis) => axis.length)) >= 2) return;
  throw new NsdfUnsupportedError(
    'gpu-lattice-size',
    `The lattice has ${planes.map((axis) => axis.length).join(' x ')} planes; the GPU takes from 2 to ${MAX_PLANES} an axis, ${2 ** COORDINATE_BITS} with ${2 ** subBits} divisions each.`,
  );
}

/** Whether what was made for one plan serves another one, but for the tolerances. */
export function isSameLattice(a: SurfacePlan, b: SurfacePlan): boolean {
  const isSameBox = [0, 1, 2].every(
    (k) => a.bounds.min[k] === b.bounds.min[k] && a.bounds.max[k] === b.bounds.max[k],
  );
  const isSameTile = JSON.stringify(a.tile) === JSON.stringify(b.tile);
  const isSameBlocks = a.tolerances.counts.every((n, k) => n === b.tolerances.counts[k]);
  return (
    isSameBox &&
    isSameBlocks &&
    isSameTile &&
    a.lattice.planes.every((axis, k) => {
      const other = b.lattice.planes[k];
      return axis === other || (axis.length === other.length && axis.every((x, i) => x === other[i]));
    })
  );
}
