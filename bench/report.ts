import type { MeshReport } from '../src/surface/check.ts';
import type { Results } from './results-file.ts';

/** One line of the benchmark. */
export interface Row {
  readonly field: string;
  readonly method: string;
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly slowestMs: number;
  /** Median of the process's CPU time, which a busy machine disturbs less; helper threads (GC, compiler) included. */
  readonly cpuMs: number;
  /** Time of marching cubes 128 (linear) over this one's. */
  readonly speedup: number;
  readonly boxesSurviving: number | null;
  readonly report: MeshReport;
}

type Column = readonly [title: string, cell: (row: Row) => number | string];

const COLUMNS: readonly Column[] = [
  ['field', (row) => row.field],
  ['method', (row) => row.method],
  ['vertices', ({ report }) => report.nVertices - report.nDuplicateVertices],
  ['triangles', ({ report }) => report.nTriangles],
  ['ms', (row) => row.medianMs],
  ['ms min', (row) => row.fastestMs],
  ['ms max', (row) => row.slowestMs],
  ['cpu ms', (row) => row.cpuMs],
  ['x MC128', (row) => row.speedup],
  ['to zero set: mean', ({ report }) => report.meshToZeroSet?.mean ?? 0],
  ['p99', ({ report }) => report.meshToZeroSet?.p99 ?? 0],
  ['max', ({ report }) => report.meshToZeroSet?.max ?? 0],
  ['to mesh: mean', ({ report }) => report.zeroSetToMesh?.mean ?? 0],
  ['p99 ', ({ report }) => report.zeroSetToMesh?.p99 ?? 0],
  ['max ', ({ report }) => report.zeroSetToMesh?.max ?? 0],
  ['|f| mean', ({ report }) => report.residual?.mean ?? 0],
  ['|f| max', ({ report }) => report.residual?.max ?? 0],
  ['faults', ({ report }) => faults(report)],
  ['boxes', (row) => row.boxesSurviving ?? ''],
];

/** Short names of what is wrong with a mesh, `-` where nothing is. */
function faults(report: MeshReport): string {
  const counts: [string, number][] = [
    ['open', report.nOpenEdges],
    ['non-manifold', report.nNonManifoldEdges + report.nNonManifoldVertices],
    ['misoriented', report.nMisorientedEdges],
    ['duplicate', report.nDuplicateVertices + report.nDuplicateTriangles],
    ['degenerate', report.nDegenerateTriangles],
  ];
  const found = counts.filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name}`);
  return found.length === 0 ? '-' : found.join(' + ');
}

/** All rows as results. @param about see `Results.about`. */
export function resultsOf(about: Results['about'], rows: readonly Row[]): Results {
  return {
    about,
    columns: COLUMNS.map(([title]) => title.trim()),
    rows: rows.map((row) => COLUMNS.map(([, cell]) => cell(row))),
  };
}

/** A table for the terminal; the field is in its heading, the fastest and slowest times in the CSV. */
export function toTable(rows: readonly Row[]): string {
  const shown = COLUMNS.filter(([title]) => !['field', 'ms min', 'ms max'].includes(title));
  const texts = [
    shown.map(([title]) => title.trim()),
    ...rows.map((row) => shown.map(([title, cell]) => textOf(title, cell(row)))),
  ];
  const widths = shown.map((_, c) => Math.max(...texts.map((line) => line[c].length)));
  const pad = (text: string, c: number) => (c === 0 ? text.padEnd(widths[c]) : text.padStart(widths[c]));
  return texts.map((line) => line.map(pad).join('  ')).join('\n');
}

function textOf(title: string, value: number | string): string {
  if (typeof value === 'string') return value;
  if (title === 'x MC128') return value.toFixed(2);
  if (title === 'ms' || title === 'cpu ms') return value.toFixed(0);
  return Number.isInteger(value) && value !== 0 ? `${value}` : value.toExponential(1);
}
