import {
  checkTopology,
  type DeriveStage,
  type DeriveStats,
  type FieldAsset,
  type SurfaceMesh,
  type TopologyReport,
} from '../../src/index.ts';

/** What the statistics need of a field, of either engine. */
export interface CountedField {
  readonly stats: DeriveStats | null;
  readonly isEmpty: boolean;
  readonly asset: FieldAsset | null;
  readonly surface: () => SurfaceMesh;
}

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
export function sumStats(fields: readonly CountedField[]): Totals {
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

function checkField({ surface, asset }: CountedField): TopologyReport {
  return checkTopology(surface(), asset?.domain);
}
