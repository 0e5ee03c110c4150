import type { FieldAsset } from '../format/asset.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import type { RegionStructure } from '../surface/structure.ts';
import type { DeriveOptions, DeriveProgress, DeriveStats } from './options.ts';

/** What a job needs to know and what can be posted to a worker: the options without callbacks and backend. */
export type JobOptions = Omit<DeriveOptions, 'backend' | 'signal' | 'onProgress'>;

/** The statistics of the work itself; the driver adds where it ran and how long that took. */
export type SurfaceStats = Omit<DeriveStats, 'backend' | 'backendReason' | 'totalTimeMs'>;

/** A finished derivation, before the driver's statistics. */
export interface DerivedSurface {
  readonly mesh: SurfaceMesh;
  readonly isEmpty: boolean;
  readonly stats: SurfaceStats;
  readonly structure?: RegionStructure;
}

/** The derivation as a generator: yields its progress after every few milliseconds of work. */
export type Steps = (
  asset: FieldAsset,
  options: JobOptions,
) => Generator<DeriveProgress, DerivedSurface, void>;

/** Reduces a finished surface to `options.maxVertices`; its code is loaded when it is first needed. */
export type Simplify = (
  asset: FieldAsset,
  surface: DerivedSurface,
  options: JobOptions,
) => Promise<DerivedSurface>;

/** Splits the normals of a finished surface along creases sharper than `options.creaseAngle`. */
export type SplitNormals = (
  asset: FieldAsset,
  surface: DerivedSurface,
  options: JobOptions,
) => Generator<DeriveProgress, DerivedSurface, void>;

/** The work of a job: backends differ in where they run it, not in what it is. */
export interface Job {
  readonly steps: Steps;
  readonly loadSimplify: () => Promise<Simplify>;
  readonly splitNormals: SplitNormals;
}
