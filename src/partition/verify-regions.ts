import type { CpuField } from '../field/cpu-field.ts';
import { CornerTable, type Lattice } from './corners.ts';
import { RegionNetwork } from './region-network.ts';
import type { Regions } from './regions-record.ts';

/** Lines along x and y, and points on each, at most. */
const MAX_CELLS = 12;
/** Boxes of the lattice to one point. */
const BOXES_PER_POINT = 32;
/** Changes of sign that are followed to their box. */
const MAX_CHANGES = 16;
/** A crossing this close to a plane, as a share of the box, may belong to either side. */
const PLANE_SLACK = 1e-6;
const MAX_BISECTIONS = 48;
/** Boxes that the record tells off and that are bounded anew. */
const N_BOUNDED = 32;
/** So many of them may be told off by the bounds of larger blocks alone. */
const MAX_OPEN = 2;

/**
 * Looks for boxes that a record of regions lacks. Where f changes its sign there has to be a box: f is followed along
 * lines drawn at random, one in each cell of a division of the bounds, and changes are bisected. And what is told off is
 * told off by bounds: a sample of it is bounded anew. Yields the fraction done.
 * @param random gives uniform numbers in [0, 1).
 * @returns what is wrong, or undefined.
 */
export function* verifyRegions(
  { cull }: Regions,
  field: CpuField,
  lattice: Lattice,
  random: () => number,
): Generator<number, string | undefined, void> {
  const counts = lattice.planes.map((planes) => planes.length - 1);
  if (counts.some((n) => n < 1)) return undefined;
  const listed = new Set<number>();
  const keyOf = (box: ArrayLike<number>): number => box[0] + counts[0] * (box[1] + counts[1] * box[2]);
  for (let i = 0; i < cull.nBoxes * 3; i += 3) listed.add(keyOf(cull.boxes.subarray(i, i + 3)));
  const isListed = (box: ArrayLike<number>): boolean => listed.has(keyOf(box));
  const table = new CornerTable(field, lattice);
  const found = (yield* followSigns(table, isListed, random)) ?? boundOthers(table, counts, isListed, random);
  return found && `${found}, which is not among its ${cull.nBoxes} boxes`;
}

function* followSigns(
  { field, lattice, isoOffset }: CornerTable,
  isListed: (box: ArrayLike<number>) => boolean,
  random: () => number,
): Generator<number, string | undefined, void> {
  const changes = yield* findChanges(field, isoOffset, lattice, random);
  for (const [below, above] of changes) {
    yield 0.5;
    const box = boxOfChange(field, isoOffset, lattice, below, above);
    if (box !== null && !isListed(box)) return `f changes its sign in box ${box.join(', ')}`;
  }
  return undefined;
}

/** Bounds a sample of the boxes that are not listed, each as the search does. */
function boundOthers(
  table: CornerTable,
  counts: readonly number[],
  isListed: (box: ArrayLike<number>) => boolean,
  random: () => number,
): string | undefined {
  const net = new RegionNetwork(table.field);
  const planes = table.lattice.planes;
  let nOpen = 0;
  for (let s = 0; s < N_BOUNDED; s++) {
    const box = counts.map((n) => Math.floor(random() * n));
    if (isListed(box)) continue;
    const ids = Int32Array.from({ length: 8 }, (_, c) => {
      const [x, y, z] = box.map((i, k) => (i + ((c >> k) & 1)) << table.lattice.subBits);
      return table.add(x, y, z);
    });
    table.flush();
    net.build(table, ids, 8);
    if (net.lo > 0 || net.hi < 0) continue;
    const { lo, hi } = table.field.bound(
      box.map((i, k) => planes[k][i]),
      box.map((i, k) => planes[k][i + 1]),
    );
    if (lo > 0 || hi < 0) continue;
    nOpen++;
    if (nOpen > MAX_OPEN) return `f may be zero in box ${box.join(', ')}, and in others`;
  }
  return undefined;
}

type Point = readonly [x: number, y: number, z: number];

/** Pairs of points, one above the other, with different signs of f; no more than are followed. */
function* findChanges(
  field: CpuField,
  isoOffset: number,
  { planes }: Lattice,
  random: () => number,
): Generator<number, (readonly [Point, Point])[], void> {
  const nBoxes = planes.reduce((product, all) => product * (all.length - 1), 1);
  const n = Math.max(4, Math.min(MAX_CELLS, Math.round(Math.cbrt(nBoxes / BOXES_PER_POINT))));
  const at = (axis: number, share: number): number => {
    const all = planes[axis];
    return all[0] + (all[all.length - 1] - all[0]) * share;
  };
  const changes: (readonly [Point, Point])[] = [];
  const points = new Float64Array(n * 3);
  const values = new Float64Array(n);
  for (let line = 0; line < n * n; line++) {
    const x = at(0, ((line % n) + random()) / n);
    const y = at(1, (Math.floor(line / n) + random()) / n);
    for (let k = 0; k < n; k++) points.set([x, y, at(2, (k + random()) / n)], k * 3);
    field.evaluate(points, values, n);
    for (let k = 1; k < n; k++) {
      if (values[k] + isoOffset >= 0 === values[k - 1] + isoOffset >= 0) continue;
      changes.push([
        [x, y, points[k * 3 - 1]],
        [x, y, points[k * 3 + 2]],
      ]);
    }
    yield (0.5 * line) / (n * n);
  }
  const stride = Math.ceil(changes.length / MAX_CHANGES);
  return changes.filter((_, i) => i % stride === 0);
}

/** The box in which f changes its sign between two points, the first above the other; null where that is on a plane. */
function boxOfChange(
  field: CpuField,
  isoOffset: number,
  lattice: Lattice,
  below: Point,
  above: Point,
): readonly number[] | null {
  const value = new Float64Array(1);
  const isPositive = (z: number): boolean => {
    field.evaluate(Float64Array.of(below[0], below[1], z), value, 1);
    return value[0] + isoOffset >= 0;
  };
  let [low, high] = [below[2], above[2]];
  const first = isPositive(low);
  for (let i = 0; i < MAX_BISECTIONS; i++) {
    const box = boxOf([below[0], below[1], low], lattice);
    if (box !== null && boxOf([below[0], below[1], high], lattice)?.[2] === box[2]) return box;
    const middle = (low + high) / 2;
    if (isPositive(middle) === first) low = middle;
    else high = middle;
  }
  return null;
}

/** The box that a point lies in; null on a plane, where two have it. */
function boxOf(point: Point, { planes }: Lattice): readonly number[] | null {
  const box: number[] = [];
  for (let k = 0; k < 3; k++) {
    const all = planes[k];
    const above = all.findIndex((x) => x > point[k]);
    if (above < 1) return null;
    const slack = PLANE_SLACK * (all[above] - all[above - 1]);
    if (point[k] - all[above - 1] < slack || all[above] - point[k] < slack) return null;
    box.push(above - 1);
  }
  return box;
}
