import { type Counts, defineCounts } from '../../gpu/counts.ts';
import type { ProgramBuilder } from '../../gpu/program-builder.ts';
import { PARTITION_COUNTS, PARTITION_WGSL } from '../../partition/gpu/partition-counts.ts';
import { CAST, DETAIL, SEARCH } from './structs.ts';

/** Rounds of divisions at most, before and after the mesh is thinned out. */
export const MAX_ROUNDS = 20;

const ROUND_COUNTS = Array.from(
  { length: MAX_ROUNDS + 1 },
  (_, r) => [`vertices${r}`, `triangles${r}`] as [`vertices${number}`, `triangles${number}`],
).flat();

/** Names of the counts of a whole derivation, in the order in which they come to be known. */
export const SURFACE_COUNTS = [
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
