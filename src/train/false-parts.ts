import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import { runQuietly } from '../pipeline/drive.ts';
import { marchLattice } from '../surface/lattice-level.ts';
import { localPositions } from '../surface/mesh.ts';
import { type Triangles, TriangleTree } from '../surface/triangle-tree.ts';
import { componentsOf } from './components.ts';
import { normal } from './distance-source.ts';

/** A vertex farther from the source than this, in the cube, is none of the surface. */
const FAR_FROM_SOURCE = 8e-3;

/** How a surface is looked at: on a lattice of so many boxes, or derived at a tolerance, lengths in the cube. */
export type Look = { readonly nBoxes: number } | { readonly tolerance: number };

/** Triangles in the cube. */
export interface CubeSurface {
  /** f64[3n] */
  readonly points: Float64Array;
  readonly indices: Uint32Array | Uint16Array;
}

/**
 * The surface of a field whose domain is the cube. A lattice is marched without the cleaning and the measuring of a preview, which were
 * two thirds of its time.
 * @throws the signal's reason.
 */
export async function surfaceOf(field: FieldAsset, look: Look, signal?: AbortSignal): Promise<CubeSurface> {
  if ('nBoxes' in look) {
    const spacing = (field.domain.max[0] - field.domain.min[0]) / look.nBoxes;
    const marching = marchLattice(createCpuField(field), field.domain, spacing);
    const { positions, indices } = await runQuietly(marching, () => signal?.throwIfAborted());
    return { points: positions, indices: Uint32Array.from(indices) };
  }
  const { mesh } = await deriveMesh(field, { ...look, cache: false, ...(signal ? { signal } : {}) });
  const points = Float64Array.from(localPositions(mesh), (x) => Math.min(1, Math.max(-1, x)));
  return { points, indices: mesh.indices };
}

/** What of a derived mesh is none of its source. */
export interface FalseParts {
  readonly nComponents: number;
  /** Components that are none of the source's. */
  readonly nFalse: number;
  /** f64[3n], in the cube: their vertices, and those of others that lie far from the source; none where `nFalse` is 0. */
  readonly points: Float64Array;
}

/** Vertices of a component that are asked whether it is false. */
const N_WITNESSES = 64;
/** A piece that comes nowhere as near as this to the source, in the cube, is beside it. */
const TOUCH = 2e-3;
/** A piece whose box has no side as long as this, in the cube, is no shape of a connected source: a cell of the default grid. */
const SPECK = 0.03;

/**
 * Finds components of a mesh that are none of the source's: those that lie far from it with all their vertices, and those beside it that
 * stand for nothing, which no distance tells: a true part may be as small as a false one, and as ill trained. They are those
 * where most of the source's points nearest to them are nearer to another component, and those beside a part of the
 * source for which there is a larger one that nowhere touch it, or are specks: splinters that came off at an edge lie on it.
 * @param points f64[3n], the vertices, in the cube.
 * @param closest f64[4n], the source's points nearest to them, and the numbers of its parts; see `Replica.closestPoints`.
 */
export function falseParts(
  indices: Triangles['indices'],
  points: Float64Array,
  closest: Float64Array,
): FalseParts {
  const componentOf = componentsOf(indices, points.length / 3);
  const members = new Map<number, number[]>();
  componentOf.forEach((component, v) => {
    if (component < 0) return;
    const known = members.get(component);
    if (known === undefined) members.set(component, [v]);
    else known.push(v);
  });
  const distance = (v: number): number =>
    Math.hypot(...[0, 1, 2].map((k) => points[v * 3 + k] - closest[v * 4 + k]));
  const isFar = (v: number): boolean => distance(v) > FAR_FROM_SOURCE;
  const tree = members.size > 1 ? new TriangleTree({ positions: points, indices }) : undefined;
  const standsFor = (v: number): number => {
    tree?.closest(closest[v * 4], closest[v * 4 + 1], closest[v * 4 + 2]);
    return tree === undefined ? componentOf[v] : componentOf[indices[tree.triangle * 3]];
  };
  const wrong = new Set<number>();
  const known = new Set<number>();
  const bySize = [...members].sort(([, a], [, b]) => b.length - a.length);
  for (const [component, vertices] of bySize) {
    const stride = Math.max(1, Math.floor(vertices.length / N_WITNESSES));
    const witnesses = vertices.filter((_, i) => i % stride === 0);
    const nOwn = witnesses.filter((v) => standsFor(v) === component).length;
    const part = closest[vertices[0] * 4 + 3];
    const isBeside =
      known.has(part) && (isSpeck(points, vertices) || vertices.every((v) => distance(v) > TOUCH));
    if (2 * nOwn < witnesses.length || isBeside || vertices.every(isFar)) wrong.add(component);
    else if (part >= 0) known.add(part);
  }
  const found: number[] = [];
  for (let v = 0; wrong.size > 0 && v < componentOf.length; v++) {
    if (componentOf[v] < 0 || !(wrong.has(componentOf[v]) || isFar(v))) continue;
    found.push(points[v * 3], points[v * 3 + 1], points[v * 3 + 2]);
  }
  return { nComponents: members.size, nFalse: wrong.size, points: Float64Array.from(found) };
}

function isSpeck(points: Float64Array, vertices: readonly number[]): boolean {
  return [0, 1, 2].every((k) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const v of vertices) {
      low = Math.min(low, points[v * 3 + k]);
      high = Math.max(high, points[v * 3 + k]);
    }
    return high - low < SPECK;
  });
}

/** n points drawn from others, moved a little, inside the cube. */
export function jitter(points: Float64Array, n: number, random: () => number): Float64Array {
  const out = new Float64Array(Math.floor(n) * 3);
  for (let i = 0; i < out.length; i += 3) {
    const from = Math.floor(random() * (points.length / 3)) * 3;
    for (let k = 0; k < 3; k++) {
      out[i + k] = Math.min(
        0.999999,
        Math.max(-0.999999, points[from + k] + FAR_FROM_SOURCE * normal(random)),
      );
    }
  }
  return out;
}
