import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { DeriveProgress } from '../options.ts';
import { cleanMesh } from '../surface/clean.ts';
import { DetailMap } from '../surface/detail-map.ts';
import { explainEmpty } from '../surface/explain-empty.ts';
import { finishMesh, type RawMesh } from '../surface/finish.ts';
import { type MarchedSurface, marchLattice } from '../surface/lattice-level.ts';
import { measureBothWays } from '../surface/level-error.ts';
import { type MeshSteps, mapSteps } from '../surface/mesh-tasks.ts';
import { conclude, NO_STOPS } from './figures.ts';
import { frameOf } from './plan.ts';
import type { DerivedSurface, JobOptions, Step } from './steps.ts';

/** Shares of the whole that end with each part, measured on bunny-S at `resolution 8`: for progress only. */
const MARCHED = 0.4;
const CLEANED = 0.85;
/** Vertices whose gradients are asked between two yields. */
const VERTICES_PER_SLICE = 1024;

/**
 * A level made on a plain lattice, see `marchLattice`: its cost grows as the surface has boxes, and does not depend on how
 * fine the field is. Thinned at its tolerance, half a box, as every mesh is; a preview is not, for the sake of time. Nothing
 * certifies it, so it says how far mesh and zero set are apart, both ways. Undefined where nothing was found, unless a preview was asked
 * for: that there is nothing is for a derivation to say.
 */
export function* latticeSteps(
  asset: FieldAsset,
  options: JobOptions,
  spacing: number,
): Generator<Step, DerivedSurface | undefined, void> {
  const startMs = performance.now();
  const field = createCpuField(asset);
  const frame = frameOf(asset, options);
  const tolerance = spacing / 2;
  const isRough = options.preview !== undefined;
  const timeMs = { partition: 0, simplify: 0, normals: 0 };
  let sinceMs = startMs;
  const lap = (stage: keyof typeof timeMs): void => {
    timeMs[stage] = performance.now() - sinceMs;
    sinceMs = performance.now();
  };
  const surface = yield* staged('partition', 0, MARCHED, marchLattice(field, frame.bounds, spacing));
  if (surface.nVertices === 0 && !isRough) return undefined;
  const raw = yield* withGradients(field, surface);
  lap('partition');
  const thinning = isRough
    ? undefined
    : { field, detail: DetailMap.uniform(tolerance, asset.domain), spacing, nMeasured: 0 };
  const unmended = yield* staged('simplify', MARCHED, CLEANED, cleanMesh(raw, frame, thinning));
  const mesh = finishMesh(raw);
  lap('simplify');
  const errors = yield* staged(
    'normals',
    CLEANED,
    1,
    measureBothWays(mesh, field, frame.bounds, surface, unmended?.known ?? new Float64Array(0)),
  );
  lap('normals');
  const { counts } = surface.lattice;
  const isEmpty = mesh.indices.length === 0;
  return {
    mesh,
    isEmpty,
    // Regions are the derivation's.
    ...(options.recordsFor && { records: { isSeeded: false } }),
    stats: conclude({
      method: 'lattice',
      nVertices: mesh.positions.length / 3,
      nTriangles: mesh.indices.length / 3,
      nBoxes: counts[0] * counts[1] * counts[2],
      nBoxesTested: surface.band.nVisited,
      nBoxesSurviving: surface.band.crossed.n,
      nBoxesUnsettled: 0,
      toleranceLocal: tolerance,
      errorLocal: errors.meshToZeroSet,
      errorBackLocal: errors.zeroSetToMesh,
      stops: { ...NO_STOPS, ...unmended?.stops },
      ...(isEmpty && { emptyReason: explainEmpty(field, frame.bounds) }),
      timeMs,
    }),
  };
}

/** A part's steps as some of the whole. */
function staged<T>(
  stage: DeriveProgress['stage'],
  from: number,
  to: number,
  steps: MeshSteps<T>,
): Generator<Step, T, void> {
  return mapSteps(steps, (fraction) => ({ stage, fraction: from + (to - from) * fraction }));
}

/** Normals are the field's gradients at the vertices. */
function* withGradients(
  field: CpuField,
  { positions, nVertices, indices }: MarchedSurface,
): Generator<DeriveProgress, RawMesh, void> {
  const normals = new Float64Array(nVertices * 3);
  const slopes = new Float64Array(nVertices * 2);
  const values = new Float64Array(VERTICES_PER_SLICE);
  const perSlice = field.pointsPerSlice(VERTICES_PER_SLICE);
  for (let from = 0; from < nVertices; from += perSlice) {
    const to = Math.min(nVertices, from + perSlice);
    const part = normals.subarray(from * 3, to * 3);
    field.evaluateWithGradient(positions.subarray(from * 3, to * 3), values, part, to - from);
    for (let v = from; v < to; v++) {
      slopes[v * 2] = Math.hypot(normals[v * 3], normals[v * 3 + 1], normals[v * 3 + 2]);
      slopes[v * 2 + 1] = 1;
    }
    yield { stage: 'partition', fraction: MARCHED };
  }
  // The vertices as the lattice has them are measured against later.
  const own = positions.slice();
  return {
    positions: own,
    normals,
    slopes,
    nVertices,
    indices: indices.slice(),
    nTriangles: indices.length / 3,
  };
}
