import { NsdfBudgetError } from '../errors.ts';
import type { CpuField } from '../field/cpu-field.ts';
import { checkTopology } from './check-topology.ts';
import { borderVertices, cleanMesh, type MeshFrame } from './clean.ts';
import { Decimator } from './decimate.ts';
import { finishMesh, type RawMesh } from './finish.ts';
import type { SurfaceMesh } from './mesh.ts';
import { MeshEditor } from './mesh-editor.ts';

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
  frame: MeshFrame,
): Promise<SurfaceMesh> {
  const { MeshoptSimplifier } = await import('meshoptimizer/simplifier');
  await MeshoptSimplifier.ready;
  let target = Math.min(mesh.indices.length / 3, 2 * maxVertices);
  let fewest = mesh.positions.length / 3;
  for (let i = 0; i < MAX_TRIES && target >= 1; i++) {
    const indices = mesh.indices.slice();
    const flags: ('LockBorder' | 'ErrorAbsolute')[] = ['LockBorder', 'ErrorAbsolute'];
    const [reduced] = MeshoptSimplifier.simplify(indices, mesh.positions, 3, target * 3, 1e30, flags);
    const candidate = tidy({ ...mesh, indices: reduced }, frame);
    const nVertices = candidate.positions.length / 3;
    fewest = Math.min(fewest, nVertices);
    if (nVertices <= maxVertices && isManifold(candidate, frame)) return candidate;
    const excess = nVertices - maxVertices;
    target = excess > 0 ? target - 2 * excess : Math.floor(target * 0.995) - 2;
  }
  const decimated = decimateTo(mesh, field, maxVertices, frame);
  const nVertices = decimated.positions.length / 3;
  if (nVertices <= maxVertices) return decimated;
  fewest = Math.min(fewest, nVertices);
  throw new NsdfBudgetError(
    `The surface cannot be simplified to ${maxVertices} vertices: the smallest manifold mesh found has ${fewest}. Ask for more vertices.`,
    fewest,
    maxVertices,
  );
}

/**
 * The way when no result of meshoptimizer is a manifold (thin plates, flat faces): collapses that keep it one, under a
 * tolerance that doubles until the mesh is small enough.
 */
function decimateTo(
  mesh: SurfaceMesh,
  field: CpuField,
  maxVertices: number,
  { bounds, diagonal }: MeshFrame,
): SurfaceMesh {
  const raw = rawOf(mesh);
  const isBorder = borderVertices(raw, bounds);
  const editor = new MeshEditor(raw.positions, raw.nVertices, raw.indices, raw.nTriangles, isBorder);
  const slopes = new Float64Array(raw.nVertices).fill(1);
  const tolerances = new Float64Array(raw.nVertices);
  let nLeft = raw.nVertices;
  for (let tolerance = diagonal * 1e-4; nLeft > maxVertices && tolerance < diagonal; tolerance *= 2) {
    const decimator = new Decimator(editor, field, raw.normals, slopes, tolerances.fill(tolerance));
    for (const _ of decimator.run()) if (nLeft - decimator.nRemoved <= maxVertices) break;
    nLeft -= decimator.nRemoved;
  }
  raw.indices = editor.compactIndices();
  raw.nTriangles = raw.indices.length / 3;
  return finishMesh(raw);
}

function isManifold(mesh: SurfaceMesh, { bounds }: MeshFrame): boolean {
  const report = checkTopology(mesh, bounds);
  return report.isClosed && report.isManifold && report.isOriented && report.nDegenerateTriangles === 0;
}

function tidy(mesh: SurfaceMesh, frame: MeshFrame): SurfaceMesh {
  const raw = rawOf(mesh);
  for (const _ of cleanMesh(raw, frame));
  return finishMesh(raw);
}

function rawOf(mesh: SurfaceMesh): RawMesh {
  const nVertices = mesh.positions.length / 3;
  return {
    positions: Float64Array.from(mesh.positions),
    normals: Float64Array.from(mesh.normals),
    slopes: new Float64Array(nVertices * 2),
    nVertices,
    indices: Int32Array.from(mesh.indices),
    nTriangles: mesh.indices.length / 3,
  };
}
