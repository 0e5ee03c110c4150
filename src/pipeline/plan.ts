import { diagonalOf } from '../box.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Box3, FieldAsset, Vec3 } from '../format/asset.ts';
import { createLattice, type Lattice } from '../partition/corners.ts';
import type { Allowance } from '../partition/settle.ts';
import type { MeshFrame } from '../surface/clean.ts';
import { DetailMap } from '../surface/detail-map.ts';
import type { CurveShape } from '../surface/faces.ts';
import type { FillOptions } from '../surface/leaves.ts';
import { plainResolution, toleranceOf } from './lattice-rule.ts';
import type { JobOptions } from './steps.ts';

/** Shares of the tolerance for chains on faces and for triangles where they are sampled: between samples they may stand off a little farther. */
const CHAIN_SHARE = 0.63;
const REFINE_SHARE = 0.75;
/** Share of the tolerance that the surface may be off in a cell before its vertices are put on the zero set. */
const CELL_SHARE = 0.5;

/** What a job's options come to. */
export interface Plan {
  readonly frame: MeshFrame;
  /** Its roots are single boxes: `chooseRootBits` says where they can be larger. */
  readonly lattice: Lattice;
  readonly shape: CurveShape;
  readonly fill: FillOptions;
  readonly detail: DetailMap;
  /** The tolerance in local units, the largest of several; 0 for the whole complex. */
  readonly toleranceLocal: number;
  readonly isExact: boolean;
  /** See `Settler`. */
  readonly allowance: Allowance;
}

/**
 * Decides lattice and tolerances from the options. A resolution asks for the tolerance of a uniform lattice with that
 * many boxes; the lattice itself is used where the field has no planes of its own. Resampling a grid's field on a
 * coarser lattice was tried (2026-11-23): it loses components between the planes, 1 of 5 on the fixture `multi` at 12.
 */
export function makePlan(field: CpuField, options: JobOptions): Plan {
  const resolution = options.resolution ?? plainResolution(field.layerWidths.length);
  const frame = frameOf(field.asset, options);
  const isExact = options.exact === true;
  const { domain } = field.asset;
  const tolerance = toleranceOf(field.asset, options);
  const { blocks } = options;
  const detail = blocks === undefined ? DetailMap.uniform(tolerance, domain) : new DetailMap(blocks, domain);
  const planes = clipPlanes(
    field.hasPlanes ? markPlanes(field) : uniformPlanes(field, resolution),
    frame.bounds,
  );
  return {
    frame,
    lattice: createLattice(planes),
    isExact,
    detail,
    toleranceLocal: detail.most,
    shape: { share: CHAIN_SHARE, detail, keepsKinks: isExact },
    fill: { detail, isExact, refineShare: REFINE_SHARE },
    allowance: (origin, size) => CELL_SHARE * detail.inBox(origin, size),
  };
}

/** Where a job's mesh lies: in the domain, or in the region asked for. */
export function frameOf({ domain }: FieldAsset, { region }: JobOptions): MeshFrame {
  return {
    bounds: boundsOf(domain, region),
    diagonal: diagonalOf(domain),
    keepsBorder: region !== undefined,
  };
}

/** The region cut to the domain and rounded to single precision; beside the domain it has no volume. */
function boundsOf(domain: Box3, region: Box3 | undefined): Box3 {
  if (region === undefined) return domain;
  const clamp = (at: Vec3): Vec3 => {
    const [x, y, z] = [0, 1, 2].map((k) =>
      Math.min(domain.max[k], Math.max(domain.min[k], Math.fround(at[k]))),
    );
    return [x, y, z];
  };
  return { min: clamp(region.min), max: clamp(region.max) };
}

/** Planes closer to a face of the region than this share of their distance apart go: slivers there cost and give nothing. */
const LEAST_SLIVER = 1e-6;

type Planes = Lattice['planes'];

/** The part of a lattice inside `bounds`, whose faces become its outermost planes. */
function clipPlanes(planes: Planes, bounds: Box3): Planes {
  const clipped = planes.map((all, k) => {
    const [lo, hi] = [bounds.min[k], bounds.max[k]];
    const least = (LEAST_SLIVER * (all[all.length - 1] - all[0])) / all.length;
    const inside = all.filter((x) => x > lo + least && x < hi - least);
    return hi > lo ? Float64Array.from([lo, ...inside, hi]) : Float64Array.of(lo);
  });
  return clipped as [Float64Array, Float64Array, Float64Array];
}

function markPlanes(field: CpuField): Planes {
  return [field.marks(0), field.marks(1), field.marks(2)];
}

/** `resolution` boxes along the longest axis, as near to cubes as whole numbers allow along the others. */
function uniformPlanes(field: CpuField, resolution: number): Planes {
  const { min, max } = field.asset.domain;
  const longest = Math.max(max[0] - min[0], max[1] - min[1], max[2] - min[2]);
  const planes = [0, 1, 2].map((k) => {
    const n = Math.max(1, Math.round((resolution * (max[k] - min[k])) / longest));
    const axis = new Float64Array(n + 1);
    for (let i = 0; i <= n; i++) axis[i] = i === n ? max[k] : min[k] + (i * (max[k] - min[k])) / n;
    return axis;
  });
  return planes as [Float64Array, Float64Array, Float64Array];
}
