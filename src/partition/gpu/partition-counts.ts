import { FINE_LATTICE } from '../../field/gpu/wgsl-lattice-points.ts';
import { defineStruct } from '../../gpu/struct.ts';
import { CULL_COUNTS } from './cull-program.ts';
import nodesWgsl from './nodes.wgsl';

/** Names of the counts of the partition. */
export const PARTITION_COUNTS = [
  ...CULL_COUNTS,
  'rootRequests',
  'rootCorners',
  'nodes',
  // As many as there would be with room for all.
  'nodesWanted',
  'unsettled',
  'rects',
  'fineRects',
  'rectRequests',
  'corners',
  'newCorners',
] as const;
export type PartitionCount = (typeof PARTITION_COUNTS)[number];

/** WGSL of the partition's structs; a program's counts stand before it. */
export const PARTITION_WGSL = FINE_LATTICE.wgsl + nodesWgsl;

/** How cells are settled. */
export const SETTLING = defineStruct('Settling', {
  /** Nodes that there is room for: of what buffers hold beyond it nothing else knows. */
  room: 'u32',
  /** Nodes that there may be, see `mostNodes`: for each root, and beside. */
  perRoot: 'f32',
  beside: 'f32',
  /** Cells as a whole, and their faces: 2. No constant, or compilers write both out. */
  nPasses: 'u32',
});
