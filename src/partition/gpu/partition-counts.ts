import { FINE_LATTICE } from '../../field/gpu/wgsl-lattice-points.ts';
import { defineStruct } from '../../gpu/struct.ts';
import { MAX_SPLIT_DEPTH } from '../corners.ts';
import { CULL_COUNTS } from './cull-program.ts';
import nodesWgsl from './nodes.wgsl';

/** Rounds of bisections after which no node can be bisected any more. */
const N_LEVELS = 3 * MAX_SPLIT_DEPTH + 1;
type LevelCount = `first${number}` | `pending${number}`;

/** Names of the counts of the partition. */
export const PARTITION_COUNTS = [
  ...CULL_COUNTS,
  'rootRequests',
  'rootCorners',
  'faced',
  'children',
  'nodes',
  // As many as there would be with room for all.
  'nodesWanted',
  'unsettled',
  'rects',
  'fineRects',
  'rectRequests',
  'corners',
  'newCorners',
  ...Array.from({ length: N_LEVELS + 1 }, (_, l) => [`first${l}`, `pending${l}`] as LevelCount[]).flat(),
] as const;
export type PartitionCount = (typeof PARTITION_COUNTS)[number];

/** WGSL of the partition's structs; a program's counts stand before it. */
export const PARTITION_WGSL = FINE_LATTICE.wgsl + nodesWgsl;

/** One round of bisections: which counts it reads and writes. */
export const LEVEL = defineStruct('Level', {
  first: 'u32',
  pending: 'u32',
  nextFirst: 'u32',
  nextPending: 'u32',
  /** Nodes that there is room for: of what buffers hold beyond it nothing else knows. */
  room: 'u32',
  /** See `SETTLE_PART`. */
  part: 'u32',
});
