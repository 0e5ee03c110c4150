import { NsdfFormatError } from '../errors.ts';
import { createCpuField } from '../field/cpu-field.ts';
import type { Box3, FieldAsset } from '../format/asset.ts';
import { hasPlanes } from '../format/encodings.ts';
import { type DeriveProgress, MESH_OPTIONS } from '../options.ts';
import { countBoxes } from '../partition/cull.ts';
import type { ToleranceBlocks } from '../surface/detail-map.ts';
import { explainEmpty } from '../surface/explain-empty.ts';
import { addAttributes, type SurfaceMesh } from '../surface/mesh.ts';
import { decodeSurface, encodeSurface, verifySurface } from '../surface/surface-record.ts';
import type { DeriveStops } from './figures.ts';
import { conclude, NO_STOPS } from './figures.ts';
import { latticeSpacing, toleranceOf } from './lattice-rule.ts';
import { frameOf, makePlan } from './plan.ts';
import { packRecord, type RecordHeader, unpackRecord } from './record-envelope.ts';
import {
  asProgress,
  type DerivedRecords,
  type DerivedSurface,
  type JobOptions,
  type SurfaceStats,
} from './steps.ts';

/** Kinds of records. */
export const SURFACE_RECORD = 'surface' as const;
export const REGIONS_RECORD = 'regions' as const;

/** What a record depends on beside its field; undefined counts as absent. */
export type RecordOptions = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * The part of a job's options that its surface depends on, as a record's key has them. With a grid the ways to ask for a
 * derivation with a tolerance all come to the same.
 */
export function surfaceOptions(asset: FieldAsset, options: JobOptions): RecordOptions {
  const entries = MESH_OPTIONS.map((name) => {
    const value = options[name];
    return [name, typeof value === 'object' ? keyOf(value) : value || undefined];
  });
  const asGiven = Object.fromEntries(entries);
  if (latticeSpacing(asset, options) !== undefined) return asGiven;
  if (!hasPlanes(asset.encoding) || options.exact || options.blocks) return asGiven;
  return { ...asGiven, resolution: undefined, tolerance: toleranceOf(asset, options) };
}

function keyOf(value: Box3 | ToleranceBlocks): string {
  if ('min' in value) return JSON.stringify([value.min, value.max]);
  return JSON.stringify([value.counts, Array.from(value.tolerances)]);
}

/** The part that the regions depend on: with a grid the planes are its own, whatever the detail. */
export function regionsOptions(asset: FieldAsset, options: JobOptions): RecordOptions {
  const { resolution, region } = surfaceOptions(asset, options);
  return { region, ...(!hasPlanes(asset.encoding) && { resolution }) };
}

const STATS = [
  'nBoxes',
  'nBoxesTested',
  'nBoxesSurviving',
  'nBoxesUnsettled',
  'toleranceLocal',
  'errorLocal',
] as const satisfies (keyof SurfaceStats)[];

/**
 * Adds the record of a finished surface, where the job was asked for one: verified first, so that no record is kept that
 * would be refused when it is read.
 */
export function* keepSurface(
  asset: FieldAsset,
  surface: DerivedSurface,
  options: JobOptions,
): Generator<DeriveProgress, DerivedSurface, void> {
  const { recordsFor: contentHash } = options;
  if (contentHash === undefined) return surface;
  const problem = yield* quietly(verifyFor(asset, surface.mesh, options));
  const records: DerivedRecords = { ...surface.records };
  if (problem !== undefined) return { ...surface, records: { ...records, problem } };
  const stats = {
    ...Object.fromEntries(STATS.map((name) => [name, surface.stats[name]])),
    method: surface.stats.method,
    ...(surface.stats.errorBackLocal !== undefined && { errorBackLocal: surface.stats.errorBackLocal }),
    stops: surface.stats.stops,
  };
  const header = { kind: SURFACE_RECORD, contentHash, options: surfaceOptions(asset, options), stats };
  const payload = yield* quietly(encodeSurface(surface.mesh));
  return { ...surface, records: { ...records, surface: packRecord(header, payload) } };
}

/**
 * Makes the surface of its record. Attributes are evaluated anew: a record holds what takes a derivation to find.
 * @throws {NsdfFormatError} if anything in the record is wrong, or the mesh in it is not one of this field.
 */
export function* readSurface(
  asset: FieldAsset,
  bytes: Uint8Array,
  options: JobOptions,
  contentHash: string,
): Generator<DeriveProgress, DerivedSurface, void> {
  const { header, payload } = unpackRecord(bytes, { kind: SURFACE_RECORD, contentHash });
  const counts = readStats(header);
  const mesh = yield* quietly(decodeSurface(payload));
  const problem = yield* quietly(verifyFor(asset, mesh, options));
  if (problem !== undefined) throw new NsdfFormatError(`a record of a mesh that is not right: ${problem}`);
  const nVertices = mesh.positions.length / 3;
  const nTriangles = mesh.indices.length / 3;
  const isEmpty = nTriangles === 0;
  const emptyReason = isEmpty && explainEmpty(createCpuField(asset), frameOf(asset, options).bounds);
  const found = { ...counts, nVertices, nTriangles, ...(emptyReason && { emptyReason }), timeMs: {} };
  return { mesh: yield* quietly(addAttributes(mesh, asset)), isEmpty, stats: conclude(found) };
}

/** Holds a mesh against the field and what the options ask for, not against what a record says of itself. */
function verifyFor(
  asset: FieldAsset,
  mesh: SurfaceMesh,
  options: JobOptions,
): Generator<number, string | undefined, void> {
  const field = createCpuField(asset);
  const { lattice, frame, toleranceLocal } = makePlan(field, options);
  const nBoxes = countBoxes(lattice);
  const isCapped = options.cap === true;
  return verifySurface(mesh, field, { bounds: frame.bounds, tolerance: toleranceLocal, nBoxes, isCapped });
}

function readStats({
  stats,
}: RecordHeader): Pick<SurfaceStats, (typeof STATS)[number] | 'stops' | 'method' | 'errorBackLocal'> {
  const { stops, method, errorBackLocal, ...counts } = (stats ?? {}) as Record<string, unknown>;
  if (method !== 'derived' && method !== 'lattice') throw new NsdfFormatError('a record without its method');
  const names = Object.keys(NO_STOPS) as (keyof DeriveStops)[];
  const back = errorBackLocal === undefined ? {} : readCounts({ errorBackLocal }, ['errorBackLocal']);
  return { ...readCounts(counts, STATS), ...back, method, stops: readCounts(stops, names) };
}

function readCounts<K extends string>(from: unknown, names: readonly K[]): Record<K, number> {
  const found = (from ?? {}) as Record<string, unknown>;
  const entries = names.map((name) => {
    const value = found[name];
    if (typeof value === 'number' && value >= 0) return [name, value];
    throw new NsdfFormatError(`a record without ${name}`);
  });
  return Object.fromEntries(entries);
}

/** Fractions as progress: nobody is told of them, they only say where to give way. */
export function quietly<T>(fractions: Generator<number, T, void>): Generator<DeriveProgress, T, void> {
  return asProgress(fractions, () => ({ stage: 'normals', fraction: 1 }));
}
