/** A search that is kept: how it is written, how it is read, and what is looked at before it is trusted. */

import type { CpuField } from '../field/cpu-field.ts';
import { CornerTable, type Lattice, mayBeZero } from './corners.ts';
import type { CullResult } from './cull.ts';
import { Forest, NODE_EMPTY, NODE_SETTLED, NODE_SPLIT, NODE_UNSETTLED } from './forest.ts';
import { RecordReader, RecordWriter } from './record-bytes.ts';
import { RegionNetwork } from './region-network.ts';

/** The search's result: which boxes may hold surface, and how they were settled where that is known. */
export interface Regions {
  readonly cull: CullResult;
  readonly forest: Forest | undefined;
}

const ITEMS_PER_YIELD = 8192;
/** Length of a direction may be off 1 by this. */
const UNIT_SLACK = 1e-9;
/** Boxes and nodes that a record may claim per byte of it: each takes three bytes at least, or one. */
const MIN_BOX_BYTES = 3;

/**
 * Writes the surviving boxes, and the forest with its settled directions. Neither depends on the tolerance, so one
 * record serves all levels of a field on one lattice. Yields the fraction done.
 */
export function* encodeRegions(
  lattice: Lattice,
  { cull, forest }: Regions,
): Generator<number, Uint8Array<ArrayBuffer>, void> {
  const writer = new RecordWriter();
  for (const planes of lattice.planes) writer.unsigned(planes.length);
  writer.unsigned(cull.nBoxes);
  writer.unsigned(cull.nTotal);
  writer.unsigned(cull.nTested);
  const { boxes } = cull;
  for (let i = 0; i < cull.nBoxes * 3; i++) {
    writer.signed(boxes[i] - (i < 3 ? 0 : boxes[i - 3]));
    if (i % ITEMS_PER_YIELD === 0) yield (0.5 * i) / boxes.length;
  }
  writer.unsigned(forest === undefined ? 0 : forest.nNodes);
  if (forest === undefined) return writer.finish();
  for (let node = 0; node < forest.nNodes; node++) {
    encodeNode(writer, forest, node);
    if (node % ITEMS_PER_YIELD === 0) yield 0.5 + (0.5 * node) / forest.nNodes;
  }
  return writer.finish();
}

/** State and axis; of leaves that may hold surface what was found out about them. Children follow from the order. */
function encodeNode(writer: RecordWriter, forest: Forest, node: number): void {
  const state = forest.state[node];
  writer.unsigned(state * 4 + (state === NODE_SPLIT ? forest.axis[node] : 0));
  if (state !== NODE_SETTLED && state !== NODE_UNSETTLED) return;
  writer.unsigned(forest.nUnits[node]);
  writer.float(forest.errorSpan[node]);
  if (state === NODE_SETTLED) writer.raw(forest.direction.subarray(node * 3, node * 3 + 3));
}

/**
 * Reads what {@link encodeRegions} wrote, for the same lattice.
 * @throws {NsdfFormatError} where anything in it is out of bounds, repeated, missing or too much.
 */
export function* decodeRegions(bytes: Uint8Array, lattice: Lattice): Generator<number, Regions, void> {
  const reader = new RecordReader(bytes);
  const counts = lattice.planes.map((planes) => planes.length - 1);
  for (const n of counts) {
    const found = reader.unsigned();
    if (found !== n + 1) reader.fail(`${found} planes, expected ${n + 1}`);
  }
  const nAll = counts[0] * counts[1] * counts[2];
  const nBoxes = reader.unsigned(Math.min(nAll, Math.floor(reader.nLeft / MIN_BOX_BYTES)));
  const nTotal = reader.unsigned();
  if (nTotal !== nAll) reader.fail(`${nTotal} boxes in all, expected ${nAll}`);
  const nTested = reader.unsigned();
  const boxes = new Int32Array(nBoxes * 3);
  for (let i = 0; i < boxes.length; i++) {
    boxes[i] = (i < 3 ? 0 : boxes[i - 3]) + reader.signed();
    if (!(boxes[i] >= 0 && boxes[i] < counts[i % 3])) reader.fail(`box index ${boxes[i]}`);
    if (i % ITEMS_PER_YIELD === 0) yield (0.5 * i) / boxes.length;
  }
  const cull = { boxes, nBoxes, nTotal, nTested };
  const nNodes = reader.unsigned(nBoxes + reader.nLeft);
  if (nNodes === 0) {
    reader.end();
    return { cull, forest: undefined };
  }
  const forest = new Forest(lattice, boxes);
  for (let i = 0; i < nBoxes; i++) {
    const [x, y, z] = boxes.subarray(i * 3, i * 3 + 3);
    if (forest.findRoot(x, y, z) !== i) reader.fail('a box is there twice');
  }
  for (let node = 0; node < forest.nNodes; node++) {
    decodeNode(reader, forest, node);
    if (node % ITEMS_PER_YIELD === 0) yield 0.5 + (0.5 * node) / nNodes;
  }
  if (forest.nNodes !== nNodes) reader.fail(`${forest.nNodes} nodes, expected ${nNodes}`);
  reader.end();
  return { cull, forest };
}

function decodeNode(reader: RecordReader, forest: Forest, node: number): void {
  const code = reader.unsigned(NODE_SPLIT * 4 + 2);
  const state = code >> 2;
  const axis = code & 3;
  if (state === NODE_SPLIT) {
    const { box } = forest;
    if (box[node * 6 + 3 + axis] - box[node * 6 + axis] < 2) reader.fail('a box too thin to be bisected');
    // Splits were made in the order of the nodes, so the children's places come out as they were.
    forest.split(node, axis);
    return;
  }
  if (axis !== 0 || (state !== NODE_EMPTY && state !== NODE_SETTLED && state !== NODE_UNSETTLED)) {
    reader.fail(`node state ${code}`);
  }
  forest.state[node] = state;
  if (state === NODE_EMPTY) return;
  forest.nUnits[node] = reader.unsigned(2 ** 30);
  forest.errorSpan[node] = reader.float();
  if (!(forest.errorSpan[node] >= 0)) reader.fail('a range of errors below zero');
  if (state === NODE_UNSETTLED) return;
  const direction = reader.floats64(3);
  const length = Math.hypot(direction[0], direction[1], direction[2]);
  if (!(Math.abs(length - 1) <= UNIT_SLACK)) reader.fail(`a direction of length ${length}`);
  forest.direction.set(direction, node * 3);
}

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
    const range = table.field.bound(
      box.map((i, k) => planes[k][i]),
      box.map((i, k) => planes[k][i + 1]),
    );
    if (!mayBeZero(range, table.isoOffset)) continue;
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
