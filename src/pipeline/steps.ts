import type { FieldAsset } from '../format/asset.ts';
import type { DeriveOptions, DeriveProgress, JOB_OPTIONS } from '../options.ts';
import type { Candidates } from '../partition/cull.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import type { RegionStructure } from '../surface/structure.ts';
import type { DeriveStats } from './figures.ts';
import type { PartResult, PartTask } from './parts.ts';

/** What a cache gives a job and wants of it. */
export interface RecordRequest {
  /** The field's content hash: the job gives back records of what it found. */
  readonly recordsFor?: string;
  /** A record of the field's regions from an earlier job, which saves the search. */
  readonly regions?: Uint8Array;
}

/** What a job needs to know and what can be posted to a worker: the options without callbacks, backend and cache. */
export type JobOptions = Pick<DeriveOptions, (typeof JOB_OPTIONS)[number]> &
  RecordRequest & {
    /** What the GPU did not tell off: saves the culling of blocks. */
    readonly candidates?: Candidates;
    /** A surface that the GPU derived: only what comes after is left to do. */
    readonly derived?: DerivedSurface;
  };

/** The statistics of the work itself; the driver adds where it ran and how long that took. */
export type SurfaceStats = Omit<
  DeriveStats,
  'backend' | 'backendReason' | 'searchedBy' | 'cache' | 'totalTimeMs'
>;

/** Records of a finished job, for a cache to keep. */
export interface DerivedRecords {
  readonly surface?: Uint8Array;
  /** Absent where the job was given a whole one that it could use. */
  readonly regions?: Uint8Array;
  /** Whether the job could use the regions that it was given. */
  readonly isSeeded?: boolean;
  /** Why the surface is not to be kept. */
  readonly problem?: string;
}

/** A finished derivation, before the driver's statistics. */
export interface DerivedSurface {
  readonly mesh: SurfaceMesh;
  readonly isEmpty: boolean;
  readonly stats: SurfaceStats;
  readonly structure?: RegionStructure;
  /** Where `recordsFor` asked for them. */
  readonly records?: DerivedRecords;
}

/** Parts that a derivation has the driver run, wherever it likes, before it goes on. */
export interface TaskBatch {
  readonly tasks: readonly PartTask[];
  /** Of each task, written by the driver. */
  readonly results: PartResult[];
  /** The job's progress when so much of them is done. */
  readonly at: (fraction: number) => DeriveProgress;
}

export type Step = DeriveProgress | TaskBatch;

/** The derivation as a generator: yields its progress after every few milliseconds of work, or parts to run. */
export type Steps = (asset: FieldAsset, options: JobOptions) => Generator<Step, DerivedSurface, void>;

/** Runs parts of one job on one thread; yields the fraction done. */
export interface TaskRunner {
  run(task: PartTask): Generator<number, PartResult, void>;
}

/** What is done with a finished surface, where the options ask for it. */
export type SurfaceSteps = (
  asset: FieldAsset,
  surface: DerivedSurface,
  options: JobOptions,
) => Generator<DeriveProgress, DerivedSurface, void>;

/** The work of a job: backends differ in where they run it, not in what it is. */
export interface Job {
  readonly steps: Steps;
  /** What its parts are run with, once a job on each thread. */
  readonly createRunner: (asset: FieldAsset, options: JobOptions) => TaskRunner;
  /** Closes it by the faces of its bounds. */
  readonly cap: SurfaceSteps;
  /** Reduces it to `options.maxVertices`. */
  readonly simplify: SurfaceSteps;
  /** Splits the normals along creases sharper than `options.creaseAngle`. */
  readonly splitNormals: SurfaceSteps;
  /** Adds the field's attributes at the vertices, where it has any; records are without. */
  readonly addAttributes: SurfaceSteps;
  /** Adds the record where `options.recordsFor` asks for it; see `keepSurface`. */
  readonly keepSurface: SurfaceSteps;
}

/** Steps as a job's progress. @param at the job's progress after such a step. */
export function* asProgress<S, T>(
  steps: Generator<S, T, void>,
  at: (step: S) => DeriveProgress,
): Generator<DeriveProgress, T, void> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    yield at(step.value);
  }
}
