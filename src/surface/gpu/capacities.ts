import { mostNodes } from '../../partition/corners.ts';
import { largestBlock } from '../../partition/cull.ts';
import type { CullCapacities } from '../../partition/gpu/cull-program.ts';
import type { PartitionCapacities } from '../../partition/gpu/forest-program.ts';
import type { EdgeCapacities } from './edges/edges-stage.ts';
import type { FaceCapacities } from './faces/faces-stage.ts';
import type { FillCapacities } from './fill/fill-stage.ts';
import type { FinishCapacities } from './finish/finish-stage.ts';
import { COUNTS, type SurfaceCount } from './structs.ts';

/** How many of everything a derivation has room for. */
export type SurfaceCapacities = CullCapacities &
  PartitionCapacities &
  EdgeCapacities &
  FaceCapacities &
  FillCapacities &
  FinishCapacities;
export type CapacityName = keyof SurfaceCapacities;

/** How many boxes a surface of one sheet or two passes through on N³, as a share of N²: bunny 2.2, fandisk 2.6. */
const ROOTS_SHARE = 3.2;
/** Blocks that are left of a search that cannot tell much, as a share of their (N / size)². */
const BLOCKS_SHARE = 14;
const BLOCK_SIZES = [16, 8, 4, 2, 1];
const LEAST_BLOCKS = 16384;
const LEAST_ROOTS = 4096;

/**
 * What there is of each for one root, and besides, where the surface bends: about 1.2 times and twice what was measured on
 * bunny-S, -M, -L and fandisk-S.
 */
const ROOM: Readonly<
  Record<Exclude<CapacityName, keyof CullCapacities>, readonly [perRoot: number, besides: number]>
> = {
  rootCorners: [2.1, 8e3],
  nodes: [1.1, 16e3],
  rects: [4.3, 24e3],
  fineRects: [0.1, 32e3],
  corners: [2.2, 24e3],
  edges: [1.2, 32e3],
  edgeVertices: [1.1, 8e3],
  curvedRects: [2.2, 12e3],
  chains: [2.2, 12e3],
  segments: [2.3, 24e3],
  loops: [1.1, 8e3],
  loopVertices: [4.4, 40e3],
  filled: [24, 48e3],
  vertices: [1.2, 32e3],
  triangles: [2.4, 64e3],
};

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
  const largest = largestBlock(counts);
  const roots = Math.min(nBoxes, Math.ceil(LEAST_ROOTS + ROOTS_SHARE * area));
  const perRoot = Object.entries(ROOM).map(([name, [share, besides]]) => [
    name,
    Math.ceil(share * roots + Math.min(besides, MOST_BESIDES * roots)),
  ]);
  return {
    blocks: roots + BLOCK_SIZES.reduce((sum, size) => sum + (size <= largest ? blocks(size) : 0), 0),
    roots,
    ...(Object.fromEntries(perRoot) as Record<keyof typeof ROOM, number>),
  };
}

/** Of a lattice with few boxes: what bends in one box. */
const MOST_BESIDES = 8;

/** Counts that need another capacity than the one of their name. */
const NEEDS: Readonly<Partial<Record<CapacityName, readonly SurfaceCount[]>>> = {
  vertices: ['chainVertices', 'meshVertices'],
  triangles: ['meshTriangles'],
  nodes: ['nodesWanted'],
};
/** What comes after something that had no room is not told rightly: it may need more still. */
const GROWTH = 1.3;

/** How many of each there were. @param counts of a run. */
export function neededCapacities(counts: Uint32Array): Readonly<Record<CapacityName, number>> {
  const names = Object.keys({
    ...ROOM,
    blocks: 0,
    roots: 0,
  });
  const entries = (names as CapacityName[]).map((name) => {
    const needs = NEEDS[name] ?? [name as SurfaceCount];
    return [name, Math.max(...needs.map((count) => counts[COUNTS.at[count]]))];
  });
  return Object.fromEntries(entries);
}

/**
 * More room where a run had too little of it, or undefined where all found room. Nodes get no more than the budget that bounds
 * them in the worker, too: what is left then stays unsettled.
 * @param counts of the run. @param nNeurons of the field's network.
 */
export function grownCapacities(
  capacities: SurfaceCapacities,
  counts: Uint32Array,
  nNeurons: number,
): SurfaceCapacities | undefined {
  const needed = neededCapacities(counts);
  const budget = Math.ceil(mostNodes(counts[COUNTS.at.roots], nNeurons));
  const most = (name: CapacityName): number => (name === 'nodes' ? budget : Number.POSITIVE_INFINITY);
  const short = (Object.keys(needed) as CapacityName[]).filter(
    (name) => Math.min(needed[name], most(name)) > capacities[name],
  );
  if (short.length === 0) return undefined;
  const grown = short.map((name) => [name, Math.min(most(name), Math.ceil(GROWTH * needed[name]))]);
  return { ...capacities, ...Object.fromEntries(grown) };
}
