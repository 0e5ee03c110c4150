import type { CullCapacities, CullCount } from '../../partition/gpu/cull-program.ts';
import type { PartitionCapacities } from '../../partition/gpu/forest-program.ts';
import type { BoxCapacities } from './boxes/boxes-stage.ts';
import { COUNTS, MAX_ROUNDS, type SurfaceCount } from './counts.ts';
import type { EdgeCapacities } from './edges/edges-stage.ts';
import type { FaceCapacities } from './faces/faces-stage.ts';
import type { FinishCapacities } from './finish/finish-stage.ts';
import type { RefineCapacities } from './refine/refine-stage.ts';

/** How many of everything a derivation has room for. */
export type SurfaceCapacities = CullCapacities &
  PartitionCapacities &
  EdgeCapacities &
  FaceCapacities &
  BoxCapacities &
  RefineCapacities &
  FinishCapacities;
export type CapacityName = keyof SurfaceCapacities;

/** How many boxes a surface of one sheet or two passes through on N³, as a share of N²: bunny 2.2, fandisk 2.6. */
const ROOTS_SHARE = 3.2;
/** Blocks that are left of a search that cannot tell much, as a share of their (N / size)². */
const BLOCKS_SHARE = 14;
const LEAST_BLOCKS = 16384;
const LEAST_ROOTS = 4096;

/** What there is of each for one root: about twice what was measured on bunny-S, -M, -L and fandisk-S. */
const PER_ROOT: Readonly<Record<Exclude<CapacityName, CullCount>, number>> = {
  rootCorners: 2.3,
  nodes: 2,
  rects: 6,
  fineRects: 2.5,
  corners: 3.3,
  edges: 3.5,
  edgeVertices: 2,
  curvedRects: 3.3,
  chains: 3.3,
  segments: 5,
  loops: 2,
  loopVertices: 9,
  vertices: 6,
  triangles: 9,
  samples: 27,
  splits: 2,
};
const LEAST = 8192;

/**
 * Room for a surface of the usual complexity; {@link grownCapacities} makes more where that is not enough.
 * @param counts boxes along x, y, z.
 */
export function estimateCapacities(counts: readonly number[]): SurfaceCapacities {
  const nBoxes = counts[0] * counts[1] * counts[2];
  // Of the two larger sides: as much surface as a plane across.
  const [, middle, longest] = counts.slice().sort((a, b) => a - b);
  const area = middle * longest;
  const blocks = (size: number): number => {
    const n = counts.reduce((product, count) => product * Math.ceil(count / size), 1);
    return Math.min(n, Math.ceil(LEAST_BLOCKS + (BLOCKS_SHARE * area) / size ** 2));
  };
  const roots = Math.min(nBoxes, Math.ceil(LEAST_ROOTS + ROOTS_SHARE * area));
  const perRoot = Object.entries(PER_ROOT).map(([name, share]) => [name, Math.ceil(LEAST + share * roots)]);
  return {
    blocks16: blocks(16),
    blocks8: blocks(8),
    blocks4: blocks(4),
    blocks2: blocks(2),
    blocks1: blocks(1),
    roots,
    ...(Object.fromEntries(perRoot) as Record<keyof typeof PER_ROOT, number>),
  };
}

const ROUNDS = Array.from({ length: MAX_ROUNDS + 1 }, (_, r) => r);
/** Counts that need another capacity than the one of their name. */
const NEEDS: Readonly<Partial<Record<CapacityName, readonly (readonly [SurfaceCount, number])[]>>> = {
  vertices: [['chainVertices', 1], ...ROUNDS.map((r) => [`vertices${r}`, 1] as [SurfaceCount, number])],
  triangles: ROUNDS.map((r) => [`triangles${r}`, 1] as [SurfaceCount, number]),
  samples: [['samplesPeak', 1]],
  splits: [
    ['splitsPeak', 1],
    ['offPeak', 0.5],
  ],
  fineRects: [['fineRects', 1]],
};
/** What comes after something that had no room is not told rightly: it may need more still. */
const GROWTH = 1.3;

/** How many of each there were. @param counts of a run. */
export function neededCapacities(counts: Uint32Array): Readonly<Record<CapacityName, number>> {
  const names = Object.keys({
    ...PER_ROOT,
    blocks16: 0,
    blocks8: 0,
    blocks4: 0,
    blocks2: 0,
    blocks1: 0,
    roots: 0,
  });
  const entries = (names as CapacityName[]).map((name) => {
    const needs = NEEDS[name] ?? [[name as SurfaceCount, 1] as const];
    return [name, Math.max(...needs.map(([count, share]) => Math.ceil(counts[COUNTS.at[count]] * share)))];
  });
  return Object.fromEntries(entries);
}

/** More room where a run had too little of it, or undefined where all found room. */
export function grownCapacities(
  capacities: SurfaceCapacities,
  counts: Uint32Array,
): SurfaceCapacities | undefined {
  const needed = neededCapacities(counts);
  const short = (Object.keys(needed) as CapacityName[]).filter((name) => needed[name] > capacities[name]);
  if (short.length === 0) return undefined;
  const grown = short.map((name) => [name, Math.ceil(GROWTH * needed[name])]);
  return { ...capacities, ...Object.fromEntries(grown) };
}
