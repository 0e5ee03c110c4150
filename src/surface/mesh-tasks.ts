import type { VolumeLimits } from './part-volumes.ts';

/**
 * Work on a mesh that is cut in parts which need nothing of each other. What they are given and what they give can be posted,
 * and depends on the mesh alone, not on who does them.
 */
export type MeshTask = MeasureTask | ThinTask;

/** Finds of some triangles those that stand off the zero set. */
export interface MeasureTask {
  readonly kind: 'measure';
  readonly triangles: TriangleSet;
  /** Size of the boxes that the mesh comes from, local units. */
  readonly spacing: number;
  /** All points of the closest pattern are asked at once: something is known to stand off. */
  readonly isClose: boolean;
}

/** Some triangles of a mesh whose positions are rounded to single precision. */
export interface TriangleSet {
  /** f32[n * 9], local units. */
  readonly corners: Float32Array;
  /** f64[n], the least |∇f| at the corners of each. */
  readonly slopes: Float64Array;
  /** f64[n], at each, local units. */
  readonly tolerances: Float64Array;
}

/** i8[n]: the side at which a triangle is to be divided, from its corner of that number to the next; -1 where it is not. */
export type MeasuredSides = Int8Array;

/** Removes vertices of a piece of a mesh; all triangles around those that may go, and around their neighbours, are in it. */
export interface ThinTask {
  readonly kind: 'thin';
  /** i32[n * 3] */
  readonly indices: Int32Array;
  /** f64[n * 3], f64[n * 3], f64[n], f64[n] and u8[n]: see `Decimator` and `MeshEditor`. */
  readonly positions: Float64Array;
  readonly normals: Float64Array;
  readonly slopes: Float64Array;
  readonly tolerances: Float64Array;
  readonly faces: Uint8Array;
  /** u8[n]: 1 for the vertices that may go. */
  readonly mayGo: Uint8Array;
  readonly volumes: VolumeLimits;
}

/** What was removed, by the piece's numbers. */
export interface ThinnedPiece {
  /** i32[2 m], in their order: the vertex that goes, and the one that it is moved onto. */
  readonly collapses: Int32Array;
  /** f64[n], see `Decimator.known`. */
  readonly known: Float64Array;
}

/** What each kind of part gives. */
export interface MeshResults {
  readonly measure: MeasuredSides;
  readonly thin: ThinnedPiece;
}

/** Parts that the work on a mesh has its caller run, wherever it likes, before it goes on. */
export interface MeshBatch<P = number> {
  readonly tasks: readonly MeshTask[];
  /** Of each task, written by the caller. */
  readonly results: MeshResults[keyof MeshResults][];
  /** The whole work's progress when such a fraction of the parts is done. */
  readonly at: (fraction: number) => P;
}

/** Work on a mesh: yields the fraction done, or parts to run. */
export type MeshSteps<T> = Generator<number | MeshBatch, T, void>;

/** Has parts run; gives their results in order. */
export function* runParts<K extends MeshTask['kind']>(
  tasks: readonly (MeshTask & { readonly kind: K })[],
  at: (fraction: number) => number,
): Generator<MeshBatch, readonly MeshResults[K][], void> {
  const batch: MeshBatch = { tasks, results: [], at };
  yield batch;
  return batch.results as MeshResults[K][];
}

/** The same work as steps of a larger one. @param at the larger one's progress when such a fraction of this is done. */
export function* mapSteps<T, P>(
  steps: MeshSteps<T>,
  at: (fraction: number) => P,
): Generator<P | MeshBatch<P>, T, void> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    const { value } = step;
    yield typeof value === 'number' ? at(value) : { ...value, at: (fraction) => at(value.at(fraction)) };
  }
}
