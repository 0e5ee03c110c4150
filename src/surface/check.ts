import type { Box3 } from '../format/asset.ts';
import { type CheckField, isOutward, measureResidual, type Spread } from './check-field.ts';
import { analyseTopology, type CheckableMesh, type TopologyReport } from './check-topology.ts';

export type { CheckField, Spread } from './check-field.ts';
export type { CheckableMesh, TopologyReport } from './check-topology.ts';
export { checkTopology } from './check-topology.ts';

export interface CheckOptions {
  /** Measures the mesh against this field too. */
  readonly field?: CheckField;
  /** The box that the zero set is looked at in; open edges on its faces are allowed. */
  readonly domain?: Box3;
  readonly signal?: AbortSignal;
}

/** What {@link checkMesh} found. */
export interface MeshReport extends TopologyReport {
  /**
   * The triangles face outwards: against the field's gradient in every component where there is a field, else by a
   * signed volume that is not negative.
   */
  readonly isOutwardOriented: boolean;
  /** |f| at the vertices; with a field only. */
  readonly residual?: Spread;
}

/**
 * Checks a triangle mesh: topology always, and against a field where one is given.
 * @throws {NsdfArgumentError} if an index is out of range or an array's length is no multiple of three.
 * @example
 * const report = await checkMesh({ positions, indices });
 * if (!report.isClosed) console.log(`${report.nOpenEdges} open edges`);
 */
export async function checkMesh(mesh: CheckableMesh, options: CheckOptions = {}): Promise<MeshReport> {
  const { field, domain, signal } = options;
  signal?.throwIfAborted();
  const { report, componentOfTriangle } = analyseTopology(mesh, domain);
  if (field === undefined) return { ...report, isOutwardOriented: report.signedVolume >= 0 };
  return {
    ...report,
    isOutwardOriented: isOutward(mesh, componentOfTriangle, report.nComponents, field),
    residual: measureResidual(mesh, field),
  };
}
