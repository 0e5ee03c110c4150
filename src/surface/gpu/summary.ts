import { NsdfGpuError } from '../../errors.ts';
import type { Box3, Vec3 } from '../../format/asset.ts';
import { COUNTS, MISSED, SUMMARY_AT } from './structs.ts';

/** @throws {NsdfGpuError} if anything is wrong with the mesh */
export function throwIfUnsound(summary: Uint32Array, nTriangles: number): void {
  const { link, off, open, degenerate, corners, twice } = SUMMARY_AT;
  const faults = [
    [summary[link], 'sides that do not fit together'],
    [summary[off], 'vertices off the zero set'],
    [summary[open], 'open sides'],
    [summary[degenerate], 'triangles without area'],
    [summary[twice], 'vertices or edges that are there twice'],
    [3 * nTriangles - summary[corners], 'corners at vertices that join several fans'],
  ] as const;
  const found = faults.filter(([n]) => n !== 0).map(([n, what]) => `${n} ${what}`);
  if (found.length > 0) {
    throw new NsdfGpuError('surface', `In single precision the mesh came out with ${found.join(', ')}.`);
  }
}

/** The largest measured errors, local units: of the mesh from the zero set, and of the zero set from the mesh. */
export function errorsOf(summary: Uint32Array): { errorLocal: number; errorBackLocal: number } {
  return {
    errorLocal: floatOf(summary[SUMMARY_AT.error]),
    errorBackLocal: floatOf(summary[SUMMARY_AT.back]),
  };
}

/** The largest measured error either way, as a share of the tolerance there. */
function missedBy(summary: Uint32Array): number {
  return floatOf(summary[SUMMARY_AT.missed]);
}

/** How many of the points that were measured are farther off than they may be. */
function countFar(summary: Uint32Array): number {
  return summary[SUMMARY_AT.far];
}

/** What limits ended: as in `DeriveStops`. */
export interface SurfaceStops {
  readonly nBoxesUnsound: number;
  readonly nPlacesLeft: number;
  readonly nDivisionsRefused: number;
}

/** The rest of `DeriveStops` cannot be: what has no room is done anew with more, and boxes are not refined on their own. */
export function stopsOf(summary: Uint32Array, counts: Uint32Array): SurfaceStops {
  const { unsound, left } = SUMMARY_AT;
  return {
    nBoxesUnsound: summary[unsound],
    nPlacesLeft: summary[left],
    nDivisionsRefused: counts[COUNTS.at.refused],
  };
}

/** Share of the points that may be: a limited number of divisions does not mend every place. */
const MOST_FAR = 1e-3;

/**
 * @param nMeasured points that were measured.
 * @throws {NsdfGpuError} if the mesh misses its tolerance, as on fields that were never trained
 */
export function throwIfFarOff(summary: Uint32Array, nMeasured: number): void {
  const missed = missedBy(summary);
  const nFar = countFar(summary);
  if (missed <= MISSED.most && nFar <= MOST_FAR * nMeasured) return;
  throw new NsdfGpuError(
    'surface',
    `In single precision the mesh stands off by up to ${missed.toFixed(1)} times its tolerance, and too far at ${nFar} of ${nMeasured} points.`,
  );
}

/** The mesh's bounding box, local units. */
export function boundsOf(summary: Uint32Array): Box3 {
  const at = (first: number, invert: boolean): Vec3 => {
    const words = [0, 1, 2].map((k) => (invert ? ~summary[first + k] >>> 0 : summary[first + k]));
    return words.map(numberOf) as [number, number, number];
  };
  return { min: at(SUMMARY_AT.low, true), max: at(SUMMARY_AT.high, false) };
}

/**
 * @param found of the mesh, undefined where it is empty. @param wanted where it has to lie.
 * @throws {NsdfGpuError} if a vertex was moved out of there
 */
export function throwIfOutside(found: Box3 | undefined, wanted: Box3): void {
  const isInside = [0, 1, 2].every(
    (k) =>
      found === undefined ||
      (found.min[k] >= Math.fround(wanted.min[k]) && found.max[k] <= Math.fround(wanted.max[k])),
  );
  if (isInside) return;
  throw new NsdfGpuError(
    'surface',
    'In single precision the mesh came out with vertices outside of its domain.',
  );
}

/** The number of an order, see check-vertices.wgsl. */
function numberOf(order: number): number {
  return floatOf(order >>> 31 === 1 ? order & 0x7fffffff : ~order);
}

function floatOf(word: number): number {
  return new Float32Array(Uint32Array.of(word).buffer)[0];
}
