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

/** A vertex that is to be put on the zero set: on a line, at most so far from a place on it. */
export const CAST = defineStruct('Cast', {
  position: 'vec3<f32>',
  vertex: 'u32',
  /** Unit length, or zero. */
  direction: 'vec3<f32>',
  reach: 'f32',
  /** f's slope around there, 0 where it is not known. */
  slope: 'f32',
});

/** How vertices are put on the zero set. */
export const SEARCH = defineStruct('Search', {
  /** There are counts[listed] of them. */
  listed: 'u32',
  /** |f| over the slope that is on the zero set, and that may pass for it; |f| that passes in any case. */
  enough: 'f32',
  most: 'f32',
  noise: 'f32',
  /** Distance that single precision does not tell. */
  least: 'f32',
  /** Slope that single precision does not tell from none. */
  flat: 'f32',
  /** Slope where none is known. */
  usual: 'f32',
  /** The farthest that a vertex is moved, and so near that its gradient stays. */
  reach: 'f32',
  near: 'f32',
  /** Places on a line that are looked at. No constant: SwiftShader's compiler takes minutes for loops that it unrolls. */
  nTries: 'u32',
  /** Vertices come from a list; nothing comes after. */
  isListed: 'u32',
  isLast: 'u32',
  /** An order that cannot be carried out is a fault of the mesh. */
  isNeeded: 'u32',
  /** No orders: vertices that are nearly there. */
  isPolish: 'u32',
});

/** What is measured: see measure.wgsl. */
export const MEASURE = defineStruct('Measure', {
  /** See `MEASURED`. */
  what: 'u32',
  /** Share of the tolerance by which a sample may stand off. */
  share: 'f32',
  /** Count of samples, flips or triangles. */
  items: 'u32',
});

export const ROUND = defineStruct('Round', {
  /** All triangles are looked at, not only those that the round before made. */
  isAll: 'u32',
  /** Divisions that are refused are told: nothing comes after that may make up for them. */
  isCounted: 'u32',
  /** They are looked at as if nothing of them had been looked at before. */
  isRenewed: 'u32',
  /** How many samples of the pattern are taken. */
  nPattern: 'u32',
  /** Counts of vertices and triangles at its beginning. */
  vertices: 'u32',
  triangles: 'u32',
  /** Share that what is left for later stands off by its normals; 0 for nothing. */
  flatShare: 'f32',
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
  /** Counts of vertices and triangles. */
  vertices: 'u32',
  triangles: 'u32',
});

export const FINISH = defineStruct('Finish', {
  /** Counts of vertices and triangles. */
  vertices: 'u32',
  triangles: 'u32',
  /** Height of a triangle that has no area, and how far a vertex is moved to give it some. */
  least: 'f32',
  step: 'f32',
});

/** Rounds of divisions at most, before and after the mesh is thinned out. */
export const MAX_ROUNDS = 20;

const ROUND_COUNTS = Array.from(
  { length: MAX_ROUNDS + 1 },
  (_, r) => [`vertices${r}`, `triangles${r}`] as [`vertices${number}`, `triangles${number}`],
).flat();

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
  'left',
  'segments',
  'halves',
  'loops',
  'loopVertices',
  'fans',
  'active',
  'samples',
  'off',
  'splits',
  'refused',
  'splitHalves',
  'touched',
  'added',
  'samplesPeak',
  'offPeak',
  'splitsPeak',
  ...ROUND_COUNTS,
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
 * Words of `summary`, u32. The first tell what is wrong with a mesh: half-edges and half-chains that do not fit together,
 * vertices off the zero set, open sides inside the box, triangles without area; `twice` counts vertices and edges that are
 * there twice. Then what limits ended: boxes whose surface is not sure to be the field's, divisions of the thinned mesh that
 * were refused. `missed` is the largest error as a share of the tolerance there; `left` counts points that are off by more
 * than the tolerance, `far` those that are off by more than `MISSED.far`.
 */
export const SUMMARY_AT = {
  link: 0,
  unsound: 1,
  refused: 2,
  open: 3,
  off: 4,
  degenerate: 5,
  corners: 6,
  low: 7,
  high: 10,
  error: 13,
  twice: 14,
  missed: 15,
  left: 16,
  far: 17,
} as const;
export const SUMMARY_WORDS = 18;
/** Times the tolerance that single points may be off by: more than `far` few of them, more than `most` none. */
export const MISSED = { far: 1.25, most: 2 } as const;
/** The first word that the last stage adds to. */
export const SUMMARY_OF_FINISH = SUMMARY_AT.open;

/** WGSL that every kernel of the surface begins with. */
export const SURFACE_WGSL = `${COUNTS.wgsl}${PARTITION_WGSL}${DETAIL.wgsl}${CAST.wgsl}${SEARCH.wgsl}
${Object.entries(SUMMARY_AT)
  .map(([name, at]) => `const SUMMARY_${name.toUpperCase()} = ${at}u;`)
  .join('\n')}
`;
