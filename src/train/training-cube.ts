import { NsdfArgumentError, NsdfFormatError } from '../errors.ts';
import type { Box3 } from '../format/asset.ts';
import { checkField, MEMORY_PLACES } from '../format/field-rules.ts';
import { IssueList } from '../format/issues.ts';

/** Share of the domain that the mesh's longest side takes: room for distances around it. */
const DEFAULT_FILL = 0.9;
/** By how much sides may differ, as a share of them, and in steps of double precision at the corners, each of which is rounded. */
const SHARE_OFF = 1e-9;
const STEPS_OFF = 4;

/**
 * The cube around the middle of a mesh's bounding box; of side 2 / 0.9 where all lies at one place.
 * @param positions f64[3n]
 * @throws {NsdfFormatError} if no field can have it for its domain.
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
  const cube: Box3 = {
    min: [corner(-1, 0), corner(-1, 1), corner(-1, 2)],
    max: [corner(1, 0), corner(1, 1), corner(1, 2)],
  };
  const issue = issueWith(cube);
  if (issue === undefined) return cube;
  const advice = 'give it in other units, or nearer to zero';
  throw new NsdfFormatError(`the mesh is ${side} across: ${issue}; ${advice}`, { field: 'positions' });
}

/** @throws {NsdfArgumentError} if a domain is no cube, or none that a field can have. */
export function checkCube(domain: Box3): void {
  const { min, max } = domain;
  const sides = min.map((low, k) => max[k] - low);
  const largest = Math.max(...[...min, ...max].map(Math.abs));
  const off = SHARE_OFF * sides[0] + STEPS_OFF * Number.EPSILON * largest;
  if (!sides.every((side) => side > 0 && Math.abs(side - sides[0]) <= off)) {
    throw new NsdfArgumentError('domain', `domain has sides ${sides.join(', ')}: expected a cube`);
  }
  const issue = issueWith(domain);
  if (issue === undefined) return;
  throw new NsdfArgumentError('domain', `domain: ${issue}; choose other units, or one nearer to zero`);
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

/** What no field could have of a cube, by the rules that its file is held to: found before it is trained, not after. */
function issueWith(domain: Box3): string | undefined {
  const issues = new IssueList();
  const half = (domain.max[0] - domain.min[0]) / 2;
  checkField({ domain }, MEMORY_PLACES, issues);
  if (issues.issues.length > 0) return issues.issues[0].message;
  checkField({ valueScale: half }, MEMORY_PLACES, issues);
  return issues.issues.map(({ message }) => `half of its domain's side: ${message}`)[0];
}
