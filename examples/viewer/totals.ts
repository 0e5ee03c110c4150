import { checkTopology, type DeriveStage, type DeriveStats } from '../../src/index.ts';
import type { ViewField } from './stage.ts';

/** Statistics of all fields of a file together. */
export interface Totals {
  readonly nFields: number;
  readonly nVertices: number;
  readonly nTriangles: number;
  readonly nBoxesTested: number;
  readonly nBoxesSurviving: number;
  readonly toleranceLocal: number;
  /** The largest measured error, either way; -1 where none was measured. */
  readonly errorLocal: number;
  /** Null where the derivation does not say. */
  readonly isWithinTolerance: boolean | null;
  /** Whether it is certified of every mesh that nothing is missing. */
  readonly isComplete: boolean;
  readonly timeMs: Readonly<Partial<Record<DeriveStage, number>>>;
  readonly totalTimeMs: number;
  readonly backend: string;
  readonly backendReason: string;
  readonly cache: string;
  readonly cacheReason: string;
  readonly isEmpty: boolean;
  readonly isClosed: boolean;
  readonly isManifold: boolean;
}

/** Adds up the fields' statistics and checks every mesh. */
export function sumStats(fields: readonly ViewField[]): Totals {
  const all: readonly (DeriveStats & { readonly isWithinTolerance?: boolean })[] = fields
    .map((field) => field.stats)
    .filter((stats): stats is DeriveStats => stats !== null);
  const sum = (pick: (stats: DeriveStats) => number): number =>
    all.reduce((total, stats) => total + pick(stats), 0);
  const reports = fields
    .filter((field) => !field.isEmpty)
    .map((field) => checkTopology(field.surface(), field.asset?.domain));
  const timeMs: Partial<Record<DeriveStage, number>> = {};
  for (const stats of all) {
    for (const [stage, time] of Object.entries(stats.timeMs) as [DeriveStage, number][]) {
      timeMs[stage] = (timeMs[stage] ?? 0) + time;
    }
  }
  const told = all.map((stats) => stats.isWithinTolerance).filter((is) => is !== undefined);
  return {
    nFields: all.length,
    nVertices: sum((stats) => stats.nVertices),
    nTriangles: sum((stats) => stats.nTriangles),
    nBoxesTested: sum((stats) => stats.nBoxesTested),
    nBoxesSurviving: sum((stats) => stats.nBoxesSurviving),
    toleranceLocal: Math.max(0, ...all.map((stats) => stats.toleranceLocal)),
    errorLocal: Math.max(-1, ...all.flatMap((stats) => [stats.errorLocal ?? -1, stats.errorBackLocal ?? -1])),
    isWithinTolerance: told.length > 0 ? told.every((is) => is) : null,
    isComplete: all.every((stats) => stats.isComplete),
    timeMs,
    totalTimeMs: sum((stats) => stats.totalTimeMs),
    backend: all[0]?.backend ?? 'none',
    backendReason: all[0]?.backendReason ?? 'the file has no neural field',
    cache: all[0]?.cache.use ?? 'off',
    cacheReason: all[0]?.cache.reason ?? '',
    isEmpty: reports.length === 0,
    isClosed: reports.every((report) => report.isClosed),
    isManifold: reports.every((report) => report.isManifold),
  };
}
