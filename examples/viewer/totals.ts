import { checkTopology, type DeriveStage, type DeriveStats, type TopologyReport } from '../../src/index.ts';
import type { NSDFObject } from '../../src/three/index.ts';

/** Statistics of all fields of a file together. */
export interface Totals {
  readonly nFields: number;
  readonly nVertices: number;
  readonly nTriangles: number;
  readonly nBoxesTested: number;
  readonly nBoxesSurviving: number;
  readonly timeMs: Readonly<Partial<Record<DeriveStage, number>>>;
  readonly totalTimeMs: number;
  readonly backend: string;
  readonly backendReason: string;
  readonly isEmpty: boolean;
  readonly isClosed: boolean;
  readonly isManifold: boolean;
}

/** Adds up the fields' statistics and checks every mesh. */
export function sumStats(fields: readonly NSDFObject[]): Totals {
  const all = fields.map((field) => field.stats).filter((stats): stats is DeriveStats => stats !== null);
  const sum = (pick: (stats: DeriveStats) => number): number =>
    all.reduce((total, stats) => total + pick(stats), 0);
  const reports = fields.filter((field) => !field.isEmpty).map(checkField);
  const timeMs: Partial<Record<DeriveStage, number>> = {};
  for (const stats of all) {
    for (const [stage, time] of Object.entries(stats.timeMs) as [DeriveStage, number][]) {
      timeMs[stage] = (timeMs[stage] ?? 0) + time;
    }
  }
  return {
    nFields: all.length,
    nVertices: sum((stats) => stats.nVertices),
    nTriangles: sum((stats) => stats.nTriangles),
    nBoxesTested: sum((stats) => stats.nBoxesTested),
    nBoxesSurviving: sum((stats) => stats.nBoxesSurviving),
    timeMs,
    totalTimeMs: sum((stats) => stats.totalTimeMs),
    backend: all[0]?.backend ?? 'none',
    backendReason: all[0]?.backendReason ?? 'the file has no neural field',
    isEmpty: reports.length === 0,
    isClosed: reports.every((report) => report.isClosed),
    isManifold: reports.every((report) => report.isManifold),
  };
}

function checkField({ geometry, asset }: NSDFObject): TopologyReport {
  const mesh = {
    positions: geometry?.getAttribute('position').array as Float32Array,
    normals: geometry?.getAttribute('normal').array as Float32Array,
    indices: Uint32Array.from(geometry?.index?.array ?? []),
  };
  return checkTopology(mesh, asset?.domain);
}
