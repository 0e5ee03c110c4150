import { NsdfArgumentError } from '../errors.ts';
import type { Box3 } from '../format/asset.ts';

/** Share of the domain that the mesh's longest side takes: room for distances around it. */
const DEFAULT_FILL = 0.9;
/** By how much sides may differ, as a share of them, and in steps of double precision at the corners, each of which is rounded. */
const SHARE_OFF = 1e-9;
const STEPS_OFF = 4;

/**
 * The cube around the middle of a mesh's bounding box; of side 2 / 0.9 where all lies at one place.
 * @param positions f64[3n]
 */
export function cubeAround(positions: Float64Array): Box3 {
  const min = [0, 1, 2].map(() => Number.POSITIVE_INFINITY);
  const max = [0, 1, 2].map(() => Number.NEGATIVE_INFINITY);
  for (let i = 0; i < positions.length; i++) {
    min[i % 3] = Math.min(min[i % 3], positions[i]);
    max[i % 3] = Math.max(max[i % 3], positions[i]);
  }
  const side = Math.max(...min.map((low, k) => max[k] - low));
  const half = side / 2 / DEFAULT_FILL || 1;
  const corner = (sign: number, k: number) => 0.5 * (min[k] + max[k]) + sign * half;
  return {
    min: [corner(-1, 0), corner(-1, 1), corner(-1, 2)],
    max: [corner(1, 0), corner(1, 1), corner(1, 2)],
  };
}

/** @throws {NsdfArgumentError} if a domain is no cube. */
export function checkCube(domain: Box3): void {
  const { min, max } = domain;
  const sides = min.map((low, k) => max[k] - low);
  const largest = Math.max(...[...min, ...max].map(Math.abs));
  const off = SHARE_OFF * sides[0] + STEPS_OFF * Number.EPSILON * largest;
  if (!sides.every((side) => side > 0 && Math.abs(side - sides[0]) <= off)) {
    throw new NsdfArgumentError('domain', `domain has sides ${sides.join(', ')}: expected a cube`);
  }
}

/** @throws {NsdfArgumentError} if a domain does not hold all positions, f64[3n]. */
export function checkInside({ min, max }: Box3, positions: Float64Array): void {
  for (let i = 0; i < positions.length; i++) {
    const k = i % 3;
    if (positions[i] > min[k] && positions[i] < max[k]) continue;
    throw new NsdfArgumentError(
      'domain',
      `domain: a vertex has ${'xyz'[k]} = ${positions[i]}, expected one inside (${min[k]}, ${max[k]})`,
    );
  }
}
