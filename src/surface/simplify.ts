import { NsdfBudgetError } from '../errors.ts';
import type { CpuField } from '../field/cpu-field.ts';
import { checkTopology } from './check-topology.ts';
import { cleanMesh } from './clean.ts';
import { finishMesh, type RawMesh } from './finish.ts';
import type { SurfaceMesh } from './mesh.ts';

/** Targets tried, each a little lower than the one before, until a manifold mesh of at most that size is found. */
const MAX_TRIES = 24;

/**
 * Quadric simplification by meshoptimizer to at most `maxVertices` vertices. It keeps a subset of the vertices where they
 * are, so they stay on the zero set. A result that is no manifold is refused and a slightly lower target tried.
 * @throws {NsdfBudgetError} if no manifold mesh of that size is found (each closed component needs four vertices).
 */
export async function simplifyMesh(
  mesh: SurfaceMesh,
  field: CpuField,
  maxVertices: number,
): Promise<SurfaceMesh> {
  const { MeshoptSimplifier } = await import('meshoptimizer/simplifier');
  await MeshoptSimplifier.ready;
  let target = Math.min(mesh.indices.length / 3, 2 * maxVertices);
  let fewest = mesh.positions.length / 3;
  for (let i = 0; i < MAX_TRIES && target >= 1; i++) {
    const indices = mesh.indices.slice();
    const flags: ('LockBorder' | 'ErrorAbsolute')[] = ['LockBorder', 'ErrorAbsolute'];
    const [reduced] = MeshoptSimplifier.simplify(indices, mesh.positions, 3, target * 3, 1e30, flags);
    const candidate = tidy({ ...mesh, indices: reduced }, field);
    const nVertices = candidate.positions.length / 3;
    fewest = Math.min(fewest, nVertices);
    if (nVertices <= maxVertices && isManifold(candidate, field)) return candidate;
    const excess = nVertices - maxVertices;
    target = excess > 0 ? target - 2 * excess : Math.floor(target * 0.995) - 2;
  }
  const needs = `the closest manifold mesh found has ${fewest}`;
  throw new NsdfBudgetError(
    `The surface cannot be simplified to ${maxVertices} vertices: ${needs}. Ask for more vertices.`,
    fewest,
    maxVertices,
  );
}

function isManifold(mesh: SurfaceMesh, field: CpuField): boolean {
  const report = checkTopology(mesh, field.asset.domain);
  return report.isClosed && report.isManifold && report.isOriented && report.nDegenerateTriangles === 0;
}

function tidy(mesh: SurfaceMesh, field: CpuField): SurfaceMesh {
  const nVertices = mesh.positions.length / 3;
  const raw: RawMesh = {
    positions: Float64Array.from(mesh.positions),
    normals: Float64Array.from(mesh.normals),
    slopes: new Float64Array(nVertices * 2),
    nVertices,
    indices: Int32Array.from(mesh.indices),
    nTriangles: mesh.indices.length / 3,
  };
  for (const _ of cleanMesh(raw, field.asset.domain));
  return finishMesh(raw);
}
