/** What host and kernels name alike: the structs of their uniforms, the counts, and the words of the summary. */
import { type Counts, defineCounts } from '../../gpu/counts.ts';
import type { ProgramBuilder } from '../../gpu/program-builder.ts';
import { defineStruct } from '../../gpu/struct.ts';
import { PARTITION_COUNTS, PARTITION_WGSL } from '../../partition/gpu/partition-counts.ts';

/** Where the mesh lies and how fine it is to be: see DetailMap (detail-map.ts). */
export const DETAIL = defineStruct('Detail', {
  /** Blocks of one tolerance each, along x, y, z. */
  counts: 'vec3<u32>',
  isUniform: 'u32',
  origin: 'vec3<f32>',
  size: 'vec3<f32>',
  /** The box that the mesh may be open on. */
  low: 'vec3<f32>',
  high: 'vec3<f32>',
  /** The tile that is derived: its first box and the one after its last; where its seams lie, far away where it has none. */
  tileFirst: 'vec3<u32>',
  tileEnd: 'vec3<u32>',
  seamLow: 'vec3<f32>',
  seamHigh: 'vec3<f32>',
});

/** How vertices are put on the zero set: see polish.wgsl, and `Precision` for the first five. */
export const SEARCH = defineStruct('Search', {
  enough: 'f32',
  most: 'f32',
  noise: 'f32',
  least: 'f32',
  flat: 'f32',
  /** The farthest that a vertex is moved, and so near that its gradient stays. */
  reach: 'f32',
  near: 'f32',
  /** Places on a line that are looked at, and lines. No constants: SwiftShader's compiler takes minutes for loops that it unrolls. */
  nTries: 'u32',
  nRounds: 'u32',
  /** There are counts[items] of them. */
  items: 'u32',
});

/** How pages lie, and what may be removed in them: see thinned.wgsl. */
export const THINNING = defineStruct('Thinning', {
  nPages: 'vec3<u32>',
  /** The largest share of the tolerance by which a removed vertex may stand off the triangles that replace its own. */
  mostShare: 'f32',
  origin: 'vec3<f32>',
  /** An edge that is shorter goes in any case. */
  leastEdge: 'f32',
  /** Pages a unit of length. */
  perLength: 'vec3<f32>',
  /** Rounds of each share. No constant, see `Search`. */
  nRounds: 'u32',
});

export const FINISH = defineStruct('Finish', {
  /** Height of a triangle that has no area, and how far a vertex is moved to give it some. */
  least: 'f32',
  step: 'f32',
});

/** Names of the counts of a whole derivation, in the order in which they come to be known. */
const SURFACE_COUNTS = [
  ...PARTITION_COUNTS,
  'edgeSlots',
  'edges',
  'edgeVertices',
  'curvedRects',
  'chains',
  'chainPoints',
  'chainVertices',
  'segments',
  'halves',
  'loops',
  'loopVertices',
  'filled',
  'refused',
  'inside',
  'meshVertices',
  'meshTriangles',
  'outVertices',
  'outTriangles',
] as const;
export type SurfaceCount = (typeof SURFACE_COUNTS)[number];
export type SurfaceBuilder = ProgramBuilder<SurfaceCount>;

export const COUNTS: Counts<SurfaceCount> = defineCounts(SURFACE_COUNTS);

/** Counts as they lie on the GPU; those that are not named are zeros. */
export function packCounts(
  values: Readonly<Partial<Record<SurfaceCount, number>>>,
): Uint32Array<ArrayBuffer> {
  const counts = new Uint32Array(COUNTS.byteLength / 4);
  for (const name of COUNTS.names) counts[COUNTS.at[name]] = values[name] ?? 0;
  return counts;
}

/**
 * Words of `summary`, u32. The first tell what is wrong with a mesh: half-edges and half-chains that do not fit together, vertices off
 * the zero set, open sides inside the box, triangles without area; `twice` counts vertices and edges that are there twice.
 * `unsound` counts boxes whose surface is not sure to be the field's. `missed` is the largest error as a share of the tolerance
 * there, either way; `left` counts points that are off by more than the tolerance, `far` those of the mesh that are off by more than
 * `MISSED.far`. `error` is the mesh's distance from the zero set, `back` the zero set's from the mesh.
 */
export const SUMMARY_AT = {
  link: 0,
  unsound: 1,
  open: 2,
  off: 3,
  degenerate: 4,
  corners: 5,
  low: 6,
  high: 9,
  error: 12,
  twice: 13,
  missed: 14,
  left: 15,
  far: 16,
  back: 17,
} as const;
export const SUMMARY_WORDS = 18;
/** Bits of what is known of each vertex: that it was not brought to the zero set, had a triangle before the mesh was thinned, has one after. */
export const MARKS = { off: 1, before: 2, after: 4 } as const;
/** Times the tolerance that single points may be off by: more than `far` few of them, more than `most` none. */
export const MISSED = { far: 1.25, most: 2 } as const;
/** WGSL that every kernel of the surface begins with. */
export const SURFACE_WGSL = `${COUNTS.wgsl}${PARTITION_WGSL}${DETAIL.wgsl}
${Object.entries(SUMMARY_AT)
  .map(([name, at]) => `const SUMMARY_${name.toUpperCase()} = ${at}u;`)
  .join('\n')}
${Object.entries(MARKS)
  .map(([name, bit]) => `const MARK_${name.toUpperCase()} = ${bit}u;`)
  .join('\n')}
`;
