import { NsdfArgumentError } from '../errors.ts';
import type { AttributeField, FieldAsset, Vec3 } from '../format/asset.ts';
import { mapAttributes } from '../format/encode-field.ts';
import { moveBox, originOf, roundingOf, shownBox } from '../format/local-origin.ts';
import type { DeriveOptions } from '../options.ts';
import type { RegionStructure } from '../surface/structure.ts';
import { jobOptionsOf } from './derive-with.ts';
import type { DeriveResult } from './figures.ts';
import { toleranceOf } from './lattice-rule.ts';

/** What a derivation works on: the field seen from where its mesh's positions will be relative to. */
export interface MovedField<T extends DeriveOptions> {
  readonly asset: FieldAsset;
  readonly options: T;
  /** Undefined where nothing was moved. */
  readonly origin: Vec3 | undefined;
}

/**
 * Moves a field that lies far from zero to its own middle (`originOf`, or `options.origin`), in double precision: all that
 * follows, single precision too, then works with small coordinates. Other fields, and their options, come back as they are.
 * @throws {NsdfArgumentError} if single precision cannot hold the tolerance there
 */
export function moveField<T extends DeriveOptions>(asset: FieldAsset, options: T): MovedField<T> {
  const { origin: asked, ...rest } = options;
  const wanted = asked ?? originOf(asset);
  const origin = wanted?.some((x) => x !== 0) ? wanted : undefined;
  checkRounding(asset, options, origin);
  if (origin === undefined) return { asset, options: rest as T, origin };
  const { region } = options;
  const moved = region ? { ...rest, region: moveBox(region, origin, -1) } : rest;
  return { asset: moveAsset(asset, origin), options: moved as T, origin };
}

/** The same field as {@link moveField} makes of it: what records in a file are records of. */
export function movedAsset(asset: FieldAsset): FieldAsset {
  const origin = originOf(asset);
  return origin === undefined ? asset : moveAsset(asset, origin);
}

function moveAsset(asset: FieldAsset, origin: Vec3): FieldAsset {
  const { domain, region, attributes } = asset;
  return {
    ...asset,
    domain: moveBox(domain, origin, -1),
    ...(region && { region: moveBox(region, origin, -1) }),
    encoding: moveEncoding(asset, origin),
    ...(attributes && {
      attributes: mapAttributes(asset, (attribute) => ({
        ...attribute,
        encoding: moveEncoding(attribute, origin),
      })),
    }),
  };
}

function moveEncoding({ encoding }: AttributeField, origin: Vec3): AttributeField['encoding'] {
  const isLocal = encoding.kind === 'none' && encoding.inputSpace === 'local';
  return isLocal ? { ...encoding, origin } : encoding;
}

/** A mesh is no better than its vertices, whose coordinates are rounded to single precision. */
function checkRounding(asset: FieldAsset, options: DeriveOptions, origin: Vec3 | undefined): void {
  if (options.preview !== undefined) return;
  const asked = jobOptionsOf(asset, options);
  const tolerances = asked.blocks ? Array.from(asked.blocks.tolerances) : [toleranceOf(asset, asked)];
  const tolerance = Math.min(...tolerances);
  const { domain, region } = { ...asset, ...asked };
  const rounding = roundingOf(shownBox({ ...asset, domain, ...(region && { region }) }), origin);
  if (tolerance === 0 || tolerance >= rounding) return;
  const from = `relative to [${(origin ?? [0, 0, 0]).join(', ')}]`;
  throw new NsdfArgumentError(
    'tolerance',
    `the tolerance is ${tolerance}, but positions ${from} in single precision can be off by ${rounding.toPrecision(3)}; ` +
      'ask for at least that, or for a region, with an `origin` in its middle',
  );
}

/** A result in the terms of the field that was asked for: its mesh says where it lies, its structure is moved back. */
export function moveBack<T extends Pick<DeriveResult, 'mesh' | 'structure'>>(
  result: T,
  origin: Vec3 | undefined,
): T {
  if (origin === undefined) return result;
  const { mesh, structure } = result;
  return {
    ...result,
    mesh: { ...mesh, origin },
    ...(structure && { structure: moveStructure(structure, origin) }),
  };
}

function moveStructure(structure: RegionStructure, origin: Vec3): RegionStructure {
  const moved = (points: Float64Array): Float64Array => points.map((x, i) => x + origin[i % 3]);
  const axis = (k: number): Float64Array => structure.marks[k].map((x) => x + origin[k]);
  const { leaves, vertices, polygonPoints, edgeAxis, edgeCoordinate } = structure;
  return {
    ...structure,
    marks: [axis(0), axis(1), axis(2)],
    leaves: moved(leaves),
    vertices: moved(vertices),
    polygonPoints: moved(polygonPoints),
    // NaN for a crease, whose axis is -1.
    edgeCoordinate: edgeCoordinate.map((x, e) => x + (origin[edgeAxis[e]] ?? 0)),
  };
}
