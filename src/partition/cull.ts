import { growInt32 } from '../arrays.ts';
import { checkBudget } from '../budgets.ts';
import type { CpuField } from '../field/cpu-field.ts';
import { type CornerTable, type Lattice, mayBeZero } from './corners.ts';
import { RegionNetwork } from './region-network.ts';

/** Boxes that may hold surface. */
export interface CullResult {
  /** Roots of the lattice: i32[nBoxes * 3]. */
  readonly boxes: Int32Array;
  readonly nBoxes: number;
  /** All base boxes of the lattice. */
  readonly nTotal: number;
  /** Bounds that were computed, blocks and boxes together. */
  readonly nTested: number;
}

/** Base boxes that were not told off elsewhere (on the GPU), in the order in which {@link cullBoxes} would reach them. */
export interface Candidates {
  /** Base box indices: i32[n * 3]. */
  readonly boxes: Int32Array;
  /** Bounds that were computed to find them. */
  readonly nTested: number;
}

/** Boxes evaluated between two yields: about 3 ms. */
const BOXES_PER_YIELD = 512;
const CORNERS_PER_YIELD = 2048;
const BLOCKS_PER_YIELD = 64;
/** Blocks that culling begins with, at most. */
const MAX_FIRST_BLOCKS = 2 ** 18;
const REDUCTIONS_PER_YIELD = 64;

/** A part of the blocks that culling begins with, by their numbers, x fastest. */
export interface BlockRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Certified hierarchical culling: blocks of 2^k base boxes an axis are bounded by `field.bound`, those whose interval
 * holds 0 are divided, down to the lattice's roots; where these are single boxes the reduced network bounds them from their
 * corners. No box with surface is lost. Yields the fraction done.
 * @param within a part of the search, for parts that run apart: what they find, one after the other, is what the whole finds.
 * Default: all blocks. Candidates save the blocks: only these boxes are bounded; the lattice's roots are single boxes then.
 * @see docs/theory.md, "Culling"; Kim 2024
 */
export function* cullBoxes(
  field: CpuField,
  lattice: Lattice,
  table: CornerTable,
  within: Candidates | BlockRange = { from: 0, to: countFirstBlocks(lattice) },
): Generator<number, CullResult> {
  const counts = lattice.planes.map((p) => p.length - 1) as [number, number, number];
  const nTotal = countBoxes(lattice);
  if ('boxes' in within) {
    const boxes = yield* keepBoxes(lattice, table, within.boxes, 1);
    const nTested = within.nTested + within.boxes.length / 3;
    return { boxes, nBoxes: boxes.length / 3, nTotal, nTested };
  }
  const rootSize = 2 ** lattice.rootBits;
  let size = firstBlock(lattice);
  let blocks = firstBlocks(counts, size, within);
  let nTested = 0;
  while (size > rootSize) {
    let kept = yield* keepBlocks(lattice, table, blocks, size);
    nTested += blocks.length / 3;
    // Without a grid f reduces over blocks as it does over boxes, which tells far more of them off in deep networks.
    if (!field.hasPlanes) kept = yield* keepBoxes(lattice, table, kept, size);
    size /= 2;
    blocks = divideBlocks(kept, counts, size);
  }
  nTested += blocks.length / 3;
  const boxes =
    rootSize > 1
      ? (yield* keepBlocks(lattice, table, blocks, size)).map((at) => at >> lattice.rootBits)
      : yield* keepBoxes(lattice, table, blocks, 1);
  return { boxes, nBoxes: boxes.length / 3, nTotal, nTested };
}

/** What was found among base boxes, as the roots that they lie in, each once, in the order of their first boxes. */
export function onRoots(found: CullResult, { rootBits }: Lattice): CullResult {
  if (rootBits === 0) return found;
  const { boxes } = found;
  const roots: number[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < boxes.length; i += 3) {
    const root = [0, 1, 2].map((k) => boxes[i + k] >> rootBits);
    const key = root.join();
    if (seen.has(key)) continue;
    seen.add(key);
    roots.push(...root);
  }
  return { ...found, boxes: Int32Array.from(roots), nBoxes: seen.size };
}

/** Base boxes of a lattice. */
export function countBoxes({ planes }: Lattice): number {
  return planes.reduce((product, p) => product * (p.length - 1), 1);
}

/** Boxes an axis of the blocks that culling begins with. */
export function largestBlock(counts: readonly number[]): number {
  const most = Math.max(...counts);
  let size = 1;
  while (size * 16 < most && size < 16) size *= 2;
  return size;
}

/** A lattice so fine that those would be too many begins with larger ones, which tell less off; none begins below its roots. */
function firstBlock({ planes, rootBits }: Lattice): number {
  const counts = planes.map((p) => p.length - 1);
  let size = Math.max(largestBlock(counts), 2 ** rootBits);
  while (countBlocks(counts, size) > MAX_FIRST_BLOCKS) size *= 2;
  return size;
}

/** Blocks that culling begins with. */
export function countFirstBlocks(lattice: Lattice): number {
  return countBlocks(
    lattice.planes.map((p) => p.length - 1),
    firstBlock(lattice),
  );
}

function countBlocks(counts: readonly number[], size: number): number {
  return counts.reduce((product, n) => product * Math.ceil(n / size), 1);
}

/** @throws {NsdfBudgetError} before more is allocated than there may be. */
export function expectRoom(nBoxes: number): void {
  checkBudget('nBoxes', nBoxes, 'boxes to look into', 'the field, or the detail asked for, is too fine');
}

function firstBlocks(counts: readonly number[], size: number, { from, to }: BlockRange): Int32Array {
  expectRoom(countBlocks(counts, size));
  const [nx, ny] = counts.map((n) => Math.ceil(n / size));
  const blocks = new Int32Array((to - from) * 3);
  let n = 0;
  for (let block = from; block < to; block++) {
    blocks[n++] = (block % nx) * size;
    blocks[n++] = (Math.floor(block / nx) % ny) * size;
    blocks[n++] = Math.floor(block / (nx * ny)) * size;
  }
  return blocks;
}

function* keepBlocks(
  lattice: Lattice,
  { field, isoOffset }: CornerTable,
  blocks: Int32Array,
  size: number,
): Generator<number, Int32Array> {
  const perYield = 3 * field.pointsPerSlice(BLOCKS_PER_YIELD);
  const kept = new Int32Array(blocks.length);
  const min = new Float64Array(3);
  const max = new Float64Array(3);
  let n = 0;
  for (let i = 0; i < blocks.length; i += 3) {
    for (let k = 0; k < 3; k++) {
      const planes = lattice.planes[k];
      min[k] = planes[blocks[i + k]];
      max[k] = planes[Math.min(blocks[i + k] + size, planes.length - 1)];
    }
    for (const _ of field.prepareBound(min, max) ?? []) yield i / blocks.length / size / 2;
    if (mayBeZero(field.bound(min, max), isoOffset)) for (let k = 0; k < 3; k++) kept[n++] = blocks[i + k];
    if (i % perYield === 0) yield i / blocks.length / size / 2;
  }
  return kept.subarray(0, n);
}

function divideBlocks(blocks: Int32Array, counts: readonly number[], size: number): Int32Array {
  // Surface that passes through a block passes through as many boxes, at the least, as it has along an axis.
  expectRoom((blocks.length / 3) * Math.max(8, 2 * size));
  const divided = new Int32Array(blocks.length * 8);
  let n = 0;
  for (let i = 0; i < blocks.length; i += 3) {
    for (let c = 0; c < 8; c++) {
      const x = blocks[i] + (c & 1) * size;
      const y = blocks[i + 1] + ((c >> 1) & 1) * size;
      const z = blocks[i + 2] + (c >> 2) * size;
      if (x >= counts[0] || y >= counts[1] || z >= counts[2]) continue;
      divided[n++] = x;
      divided[n++] = y;
      divided[n++] = z;
    }
  }
  return divided.subarray(0, n);
}

/** Keeps the boxes, or blocks of `size` boxes an axis, that the network reduced over them does not tell off. */
function* keepBoxes(
  lattice: Lattice,
  table: CornerTable,
  boxes: Int32Array,
  size: number,
): Generator<number, Int32Array> {
  const nBoxes = boxes.length / 3;
  const ids = new Int32Array(nBoxes * 8);
  for (let i = 0; i < nBoxes; i++) {
    blockCorners(table, lattice, boxes, i, size, ids, i * 8);
    if (i % (BOXES_PER_YIELD * 4) === 0) yield 0.5 + (0.1 * i) / nBoxes;
  }
  const nCorners = table.count;
  const perFlush = table.field.pointsPerSlice(CORNERS_PER_YIELD);
  for (let left = table.flush(perFlush); left > 0; left = table.flush(perFlush)) {
    yield 0.9 - (0.3 * left) / nCorners;
  }
  const net = new RegionNetwork(table.field);
  const perYield = table.field.pointsPerSlice(REDUCTIONS_PER_YIELD);
  let kept = new Int32Array(1024);
  let n = 0;
  for (let i = 0; i < nBoxes; i++) {
    if (i % perYield === 0) yield 0.9 + (0.1 * i) / nBoxes;
    if (!hasMixedSigns(table, ids, i * 8)) {
      net.build(table, ids, 8, i * 8);
      if (net.lo > 0 || net.hi < 0) continue;
    }
    kept = growInt32(kept, n + 3);
    for (let k = 0; k < 3; k++) kept[n++] = boxes[i * 3 + k];
  }
  return kept.slice(0, n);
}

function blockCorners(
  table: CornerTable,
  lattice: Lattice,
  blocks: Int32Array,
  block: number,
  size: number,
  out: Int32Array,
  offset: number,
): void {
  const { planes, subBits } = lattice;
  for (let c = 0; c < 8; c++) {
    const x = Math.min(blocks[block * 3] + (c & 1) * size, planes[0].length - 1) << subBits;
    const y = Math.min(blocks[block * 3 + 1] + ((c >> 1) & 1) * size, planes[1].length - 1) << subBits;
    const z = Math.min(blocks[block * 3 + 2] + (c >> 2) * size, planes[2].length - 1) << subBits;
    out[offset + c] = table.add(x, y, z);
  }
}

function hasMixedSigns(table: CornerTable, ids: Int32Array, offset: number): boolean {
  const isPositive = table.f(ids[offset]) >= 0;
  for (let c = 1; c < 8; c++) if (table.f(ids[offset + c]) >= 0 !== isPositive) return true;
  return false;
}
