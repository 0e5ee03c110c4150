import type { CpuField } from '../field/cpu-field.ts';
import { length3 } from '../partition/length.ts';
import type { MeasuredSides, MeasureTask } from './mesh-tasks.ts';
import { SAMPLING } from './rules.ts';
import { barycentricLattice, type Pattern, patternOf, TriangleSampler } from './triangle-sampler.ts';

/** Share of the tolerance beyond which a sampled point has its triangle divided. */
export const STANDS_OFF = 0.82;
const TRIANGLES_PER_YIELD = 512;
/** Triangles with a side longer than this many boxes, or beyond this share of STANDS_OFF, are sampled closer. */
const LONG = 1.5;
const CLOSE_SHARE = 0.8;

/** Few points (four inside, one on each side), then the lattices of sixths and twelfths but the corners. */
const PATTERNS: readonly Pattern[] = [
  patternOf(
    [
      [2, 2, 2],
      [4, 1, 1],
      [1, 4, 1],
      [1, 1, 4],
      [3, 3, 0],
      [0, 3, 3],
      [3, 0, 3],
    ],
    6,
  ),
  patternOf(barycentricLattice(6), 6),
  patternOf(barycentricLattice(12), 12),
];
/** The one that most is seen by. */
export const CLOSEST_PATTERN: Pattern = PATTERNS[PATTERNS.length - 1];

/**
 * Samples triangles against the field itself; gives of those that stand off the side that does, or the longest. Yields the
 * fraction done.
 */
export function* measureTriangles(
  field: CpuField,
  { triangles, spacing }: MeasureTask,
): Generator<number, MeasuredSides, void> {
  const { corners, slopes } = triangles;
  const sides = new Int8Array(slopes.length).fill(-1);
  const sampler = new TriangleSampler(field, triangles);
  for (let from = 0; from < sides.length; from += TRIANGLES_PER_YIELD) {
    yield from / sides.length;
    const n = Math.min(TRIANGLES_PER_YIELD, sides.length - from);
    let asked = Array.from({ length: n }, (_, i) => from + i);
    for (const pattern of PATTERNS) {
      sampler.measure(asked, pattern, SAMPLING.look, STANDS_OFF);
      const closer: number[] = [];
      for (let i = 0; i < asked.length; i++) {
        const t = asked[i];
        const off = sampler.off[i] / STANDS_OFF;
        if (off > 1) {
          const side = pattern.sides[sampler.worst[i]];
          sides[t] = side < 0 ? longestSide(corners, t) : side;
        } else if (off > CLOSE_SHARE || (pattern === PATTERNS[0] && isLong(corners, t, spacing)))
          closer.push(t);
      }
      asked = closer;
    }
  }
  return sides;
}

function isLong(corners: Float32Array, t: number, spacing: number): boolean {
  return sideLength(corners, t, longestSide(corners, t)) > LONG * spacing;
}

function longestSide(corners: Float32Array, t: number): number {
  let side = 0;
  let longest = -1;
  for (let k = 0; k < 3; k++) {
    const length = sideLength(corners, t, k);
    if (length <= longest) continue;
    longest = length;
    side = k;
  }
  return side;
}

function sideLength(p: Float32Array, t: number, side: number): number {
  const a = t * 9 + side * 3;
  const b = t * 9 + ((side + 1) % 3) * 3;
  return length3(p[a] - p[b], p[a + 1] - p[b + 1], p[a + 2] - p[b + 2]);
}
