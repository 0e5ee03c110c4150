import { diagonalOf } from '../box.ts';
import type { Box3, Vec3 } from '../format/asset.ts';
import type { CheckField, Spread } from './check-field.ts';
import { analyseTopology, type CheckableMesh, type TopologyReport } from './check-topology.ts';

export type { CheckField, Spread } from './check-field.ts';
export type { CheckableMesh, TopologyReport } from './check-topology.ts';
export { checkTopology } from './check-topology.ts';

export interface CheckOptions {
  /** Measures the mesh against this field too. */
  readonly field?: CheckField;
  /**
   * The box in which the zero set is looked for; open edges on its faces are allowed.
   * Default: the mesh's own bounding box, a tenth wider, and no open edge allowed.
   */
  readonly domain?: Box3;
  /** Points sampled for each of the two distances; 0 leaves the distances out. */
  readonly samples?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export const CHECK_DEFAULTS = { samples: 20_000, seed: 1 } as const;

/** What {@link checkMesh} found. Lengths are in the field's local units. */
export interface MeshReport extends TopologyReport {
  /**
   * The triangles face outwards: along the field's gradient in every component where there is a field, else by a
   * signed volume that is not negative.
   */
  readonly isOutwardOriented: boolean;
  /** |f| at the vertices; with a field only. */
  readonly residual?: Spread;
  /**
   * Distances from points of the mesh, uniform by area, to the zero set; Infinity where none was found. Upper bounds: a root
   * lies at each, and a nearer one may have been missed.
   */
  readonly meshToZeroSet?: Spread;
  /**
   * Distances from points of the zero set, found without the mesh, to the mesh; `n` is 0 where it is empty. Each is exact;
   * their maximum is a lower bound of the zero set's farthest point, as it is over samples.
   */
  readonly zeroSetToMesh?: Spread;
}

/**
 * Checks a triangle mesh: topology always, and against a field where one is given.
 * @throws {NsdfArgumentError} if an index is out of range or an array's length is no multiple of three.
 * @example
 * const report = await checkMesh(mesh, { field: createCpuField(asset), domain: asset.domain });
 * if (!report.isClosed) throw new Error(`${report.nOpenEdges} open edges`);
 */
export async function checkMesh(mesh: CheckableMesh, given: CheckOptions = {}): Promise<MeshReport> {
  const options = mesh.origin === undefined ? given : seenFrom(mesh.origin, given);
  const { field, signal } = options;
  const { samples, seed } = { ...CHECK_DEFAULTS, ...options };
  signal?.throwIfAborted();
  const { report, componentOfTriangle } = analyseTopology(mesh, options.domain);
  if (field === undefined) return { ...report, isOutwardOriented: report.signedVolume >= 0 };
  const { isOutward, measureResidual, meshToZeroSet, zeroSetToMesh } = await import(
    './check-against-field.ts'
  );
  const against = {
    ...report,
    isOutwardOriented: isOutward(mesh, componentOfTriangle, report.nComponents, field),
    residual: measureResidual(mesh, field),
  };
  if (samples === 0) return against;
  const domain = options.domain ?? paddedBounds(mesh);
  const measure = { field, domain, samples, seed, signal };
  return {
    ...against,
    meshToZeroSet: await meshToZeroSet(mesh, measure),
    zeroSetToMesh: await zeroSetToMesh(mesh, measure),
  };
}

/** Field and domain in the frame of a mesh that is relative to an origin. */
function seenFrom(origin: Vec3, { field, domain, ...rest }: CheckOptions): CheckOptions {
  const moved = (points: Float64Array): Float64Array => points.map((x, i) => x + origin[i % 3]);
  const at = ([x, y, z]: Vec3): Vec3 => [x - origin[0], y - origin[1], z - origin[2]];
  return {
    ...rest,
    ...(domain && { domain: { min: at(domain.min), max: at(domain.max) } }),
    ...(field && {
      field: {
        evaluate: (points, out, n) => field.evaluate(moved(points), out, n),
        evaluateWithGradient: (points, values, gradients, n) =>
          field.evaluateWithGradient(moved(points), values, gradients, n),
      },
    }),
  };
}

/** The mesh's bounding box, a tenth of its diagonal wider on each side; the unit cube where there is no vertex. */
function paddedBounds({ positions }: CheckableMesh): Box3 {
  if (positions.length === 0) return { min: [-1, -1, -1], max: [1, 1, 1] };
  const min: [number, number, number] = [positions[0], positions[1], positions[2]];
  const max: [number, number, number] = [...min];
  for (let i = 0; i < positions.length; i++) {
    min[i % 3] = Math.min(min[i % 3], positions[i]);
    max[i % 3] = Math.max(max[i % 3], positions[i]);
  }
  const pad = diagonalOf({ min, max }) / 10;
  return {
    min: [min[0] - pad, min[1] - pad, min[2] - pad],
    max: [max[0] + pad, max[1] + pad, max[2] + pad],
  };
}
