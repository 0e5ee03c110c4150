import type { Lattice } from './corners.ts';
import type { CullResult } from './cull.ts';
import { Forest, NODE_EMPTY, NODE_SETTLED, NODE_SPLIT, NODE_UNSETTLED } from './forest.ts';
import { RecordReader, RecordWriter } from './record-bytes.ts';

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
