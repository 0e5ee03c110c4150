import { diagonalOf, extentOf } from '../box.ts';
import { NsdfArgumentError } from '../errors.ts';
import { axisMarks } from '../field/marks.ts';
import type { Box3, FieldAsset } from '../format/asset.ts';
import { hasPlanes } from '../format/encodings.ts';
import type { JobOptions } from './steps.ts';

/**
 * Boxes along the longest axis for fields without a grid, which have no planes of their own; finer for deep networks:
 * bounds widen with every layer. An 8 x 32 network settles in 2.4 s on 64, in 45 s (and not everywhere) on 32.
 */
const PLAIN_RESOLUTION = 32;
const DEEP_RESOLUTION = 64;
const DEEP_LAYERS = 5;

/**
 * Tolerances that a lattice level's boxes are wide: such a lattice finds what is a box or two thick. With boxes of 8
 * tolerances bunny-S lacks an ear, and the zero set is up to 8 tolerances from the mesh.
 */
const TOLERANCES_A_BOX = 2;
/**
 * A lattice level costs as much as a derived one where it has about this many times as many boxes along an axis as the
 * field itself: both cost what their boxes near the surface do, and a box of the derivation takes about seven times as
 * long (bunny-S, on a busy machine: 6,799 boxes of 48 along an axis 1.3 s; 45,400 of 128 1.4 s). Where it is a draw the
 * derivation is better: it is complete.
 */
const WORTH = 2.5;
/** Lattices finer than this along an axis are not made: their table of pages alone takes 128 MB. */
const MAX_BOXES = 2048;

/** Boxes along the longest axis that a plain network of so many hidden layers is derived on. */
export function plainResolution(nLayers: number): number {
  return nLayers >= DEEP_LAYERS ? DEEP_RESOLUTION : PLAIN_RESOLUTION;
}

/**
 * The one rule by which a job is a lattice level or a derivation: the side of the lattice's boxes in local units, or
 * undefined where it is derived. A preview is a lattice level. So is a `resolution` for which that is estimated to be cheaper:
 * where the boxes, two tolerances wide, are at least two fifths of the field's own. Every other way to ask is derived; and so
 * is what needs regions (`structure`).
 */
export function latticeSpacing(asset: FieldAsset, options: JobOptions): number | undefined {
  const extents = extentOf(asset.domain);
  if (options.preview !== undefined) return Math.max(...extents) / options.preview;
  if (options.resolution === undefined || options.structure) return undefined;
  const spacing = TOLERANCES_A_BOX * toleranceOf(asset, options);
  if (Math.max(...extents) > MAX_BOXES * spacing) return undefined;
  return WORTH * spacing >= ownSpacing(asset, extents) ? spacing : undefined;
}

/** Not where a record has the regions, nor for a preview, which looks at a lattice only. */
export function needsPartition({ regions, preview }: JobOptions): boolean {
  return regions === undefined && preview === undefined;
}

/** Whether a job is derived from the field's boxes: no preview, no lattice level, and not from a record of its regions. */
export function isDerived(asset: FieldAsset, options: JobOptions): boolean {
  return needsPartition(options) && latticeSpacing(asset, options) === undefined;
}

/** The geometric mean of the sides of the field's own boxes. */
function ownSpacing(asset: FieldAsset, extents: readonly number[]): number {
  if (!hasPlanes(asset.encoding)) return Math.max(...extents) / plainResolution(asset.layers.length - 1);
  const nBoxes = extents.map((_, k) => axisMarks(asset, k as 0 | 1 | 2).length - 1);
  return Math.cbrt(extents.reduce((product, extent, k) => (product * extent) / nBoxes[k], 1));
}

/** Default tolerance: domain diagonal / this, which is 1e-3 in [-1, 1]³. */
const DEFAULT_TOLERANCE_DIVISOR = 3464.1016;
/** The tolerance of a lattice: its spacing / this. */
const LATTICE_TOLERANCE_DIVISOR = 8;

/** The tolerance that a job's options come to, in local units; 0 for the whole complex. */
export function toleranceOf({ domain }: FieldAsset, { exact, tolerance, resolution }: JobOptions): number {
  if (exact) return 0;
  if (tolerance !== undefined) return tolerance;
  if (resolution === undefined) return diagonalOf(domain) / DEFAULT_TOLERANCE_DIVISOR;
  return Math.max(...extentOf(domain)) / resolution / LATTICE_TOLERANCE_DIVISOR;
}

/**
 * The least tolerance that single precision can hold, in local units: how far a point of the domain moves when its
 * coordinates, taken from the domain's centre, are rounded.
 */
export function leastTolerance({ min, max }: Box3): number {
  const halfSteps = [0, 1, 2].map((k) => {
    const exponent = Math.ceil(Math.log2((max[k] - min[k]) / 2)) - 1;
    return 2 ** (exponent - 24);
  });
  return Math.hypot(...halfSteps);
}

/** @throws {NsdfArgumentError} if the vertices of a mesh in this domain cannot keep the tolerance that is asked for */
export function checkPrecision(domain: Box3, { tolerance, blocks }: JobOptions): void {
  const none = tolerance ?? Number.POSITIVE_INFINITY;
  const asked = Array.from(blocks?.tolerances ?? []).reduce((least, each) => Math.min(least, each), none);
  const least = leastTolerance(domain);
  if (asked >= least) return;
  const argument = blocks === undefined ? 'tolerance' : 'blocks';
  throw new NsdfArgumentError(
    argument,
    `${argument} is ${asked}; expected at least ${least.toPrecision(2)}: the vertices are in single precision, which rounds them by as much in this domain`,
  );
}
