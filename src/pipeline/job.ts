import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { DeriveProgress, DeriveStage } from '../options.ts';
import { capMesh, withoutCaps } from '../surface/cap.ts';
import { createRandom } from '../surface/check-random.ts';
import { addAttributes, type SurfaceMesh } from '../surface/mesh.ts';
import { measureBack, measureMeshError } from '../surface/mesh-error.ts';
import { simplifyMesh } from '../surface/simplify.ts';
import { splitNormalsSteps } from '../surface/split-normals.ts';
import { type Triangles, TriangleTree } from '../surface/triangle-tree.ts';
import { conclude } from './figures.ts';
import { PartRunner } from './parts.ts';
import { frameOf } from './plan.ts';
import { keepSurface } from './records.ts';
import { deriveSteps } from './stages.ts';
import { asProgress, type DerivedSurface, type Job, type JobOptions } from './steps.ts';

/** The derivation, as every backend runs it. */
export const JOB: Job = {
  steps: deriveSteps,
  createRunner: (asset, options) => new PartRunner(asset, options),
  cap: capSurface,
  simplify: simplifySurface,
  splitNormals: splitSurface,
  addAttributes: addSurfaceAttributes,
  keepSurface,
};

/** Closes a finished surface by the faces of its bounds; see `capMesh`. */
function* capSurface(
  asset: FieldAsset,
  surface: DerivedSurface,
  options: JobOptions,
): Generator<DeriveProgress, DerivedSurface, void> {
  const steps = capMesh(surface.mesh, createCpuField(asset), frameOf(asset, options).bounds);
  const mesh = yield* during('simplify', steps);
  const counts = { nVertices: mesh.positions.length / 3, nTriangles: mesh.indices.length / 3 };
  return { ...surface, mesh, isEmpty: counts.nTriangles === 0, stats: { ...surface.stats, ...counts } };
}

/** Reduces a finished surface to at most `options.maxVertices`; see `simplifyMesh`. */
function* simplifySurface(
  asset: FieldAsset,
  surface: DerivedSurface,
  options: JobOptions,
): Generator<DeriveProgress, DerivedSurface, void> {
  const startMs = performance.now();
  const { maxVertices = Number.POSITIVE_INFINITY, cap = false } = options;
  const field = createCpuField(asset);
  const frame = frameOf(asset, options);
  // A capped part meets no other: its border may go.
  const keepsBorder = frame.keepsBorder && !cap;
  const steps = simplifyMesh(surface.mesh, field, maxVertices, { ...frame, keepsBorder });
  const mesh = yield* during('simplify', steps);
  const measured = (of: SurfaceMesh): Triangles => (cap ? withoutCaps(of, frame.bounds) : of);
  const [before, after] = [measured(surface.mesh), measured(mesh)];
  const known = verticesOf(before);
  const reach = Math.sqrt(frame.diagonal ** 2 / Math.max(1, known.length / 3));
  const errorLocal = yield* during('simplify', measureMeshError(after, field, asset.domain));
  const tree = new TriangleTree(after);
  const back = measureBack(tree, field, frame.bounds, [known], reach, createRandom(1));
  const errorBackLocal = yield* during('simplify', back);
  const stats = conclude({
    ...surface.stats,
    nVertices: mesh.positions.length / 3,
    nTriangles: mesh.indices.length / 3,
    errorLocal,
    errorBackLocal,
    timeMs: { ...surface.stats.timeMs, simplify: performance.now() - startMs },
  });
  return { ...surface, mesh, isEmpty: mesh.indices.length === 0, stats };
}

/** Fractions as a stage's progress. */
function during<T>(
  stage: DeriveStage,
  fractions: Generator<number, T, void>,
): Generator<DeriveProgress, T, void> {
  return asProgress(fractions, (fraction) => ({ stage, fraction }));
}

/** f64[3n]: the places of all corners, each once. */
function verticesOf({ positions, indices }: Triangles): Float64Array {
  const used = new Set(indices);
  return Float64Array.from([...used].flatMap((v) => [...positions.subarray(v * 3, v * 3 + 3)]));
}

/** Evaluates the field's attributes at the vertices; see `addAttributes`. */
function* addSurfaceAttributes(
  asset: FieldAsset,
  surface: DerivedSurface,
): Generator<DeriveProgress, DerivedSurface, void> {
  return { ...surface, mesh: yield* during('normals', addAttributes(surface.mesh, asset)) };
}

/** Splits the normals of a finished surface along creases sharper than `options.creaseAngle`; see `splitNormals`. */
function* splitSurface(
  asset: FieldAsset,
  surface: DerivedSurface,
  { creaseAngle = 180 }: JobOptions,
): Generator<DeriveProgress, DerivedSurface, void> {
  const startMs = performance.now();
  const steps = splitNormalsSteps(surface.mesh, createCpuField(asset), creaseAngle);
  const mesh = yield* during('normals', steps);
  const { timeMs } = surface.stats;
  const normals = (timeMs.normals ?? 0) + performance.now() - startMs;
  const stats = {
    ...surface.stats,
    nVertices: mesh.positions.length / 3,
    timeMs: { ...timeMs, normals },
  };
  return { ...surface, mesh, stats };
}
