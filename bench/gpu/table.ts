import { aboutThisRun, writeResults } from '../results-file.ts';
import type { Census } from './census.ts';
import type { CompileRow } from './compile.ts';
import type { GpuRow } from './measure.ts';

/** Prints a row of the table. */
export function showRow(row: GpuRow): void {
  const { method, adapter, medianMs, fastestMs, slowestMs, gpuMs, nVertices, meanError, worstError } = row;
  const digits = medianMs < 100 ? 1 : 0;
  const times = `${medianMs.toFixed(digits)} ms (${fastestMs.toFixed(digits)}-${slowestMs.toFixed(digits)})`;
  const cells: readonly (readonly [string, number])[] = [
    [row.field, 12],
    [method, 26],
    [adapter.slice(0, 24), 24],
    [times, 22],
    [gpuMs === null ? '' : `gpu ${gpuMs.toFixed(2)}`, 10],
    [`${nVertices} vertices`, 17],
    [`error ${meanError?.toExponential(2) ?? '-'} mean, ${worstError?.toExponential(1) ?? '-'} worst`, 38],
    [`${row.gpuMegabytes.toFixed(0)} MB`, 7],
    [`[${row.parts}]`, 0],
  ];
  console.log(cells.map(([text, width]) => text.padEnd(width)).join(' '));
}

/** Prints what a derivation asks of a GPU. */
export function showCensus({ stages, kernels, nBytes }: Census): void {
  for (const { stage, nDispatches, nClears } of stages)
    console.log(`${stage.padEnd(12)} ${nDispatches} dispatches, ${nClears} clears`);
  const sum = (values: Iterable<number>): number => [...values].reduce((total, n) => total + n, 0);
  const nDispatches = sum(stages.map((each) => each.nDispatches));
  const nClears = sum(stages.map((each) => each.nClears));
  const wgsl = (sum(kernels.values()) / 1000).toFixed(0);
  const megabytes = (nBytes / 2 ** 20).toFixed(0);
  console.log(`all          ${nDispatches} dispatches, ${nClears} clears, ${kernels.size} kernels`);
  console.log(`             ${wgsl} kB of WGSL, ${megabytes} MB of buffers`);
}

/** Writes rows as results, all that was measured of each. */
export function writeTable(name: string, measured: string, rows: readonly GpuRow[]): void {
  const columns = Object.keys(rows[0]) as (keyof GpuRow)[];
  writeResults(name, {
    about: { ...aboutThisRun(), measured },
    columns,
    rows: rows.map((row) => columns.map((column) => `${row[column] ?? ''}`)),
  });
}

/** Writes what the docs show of it: a file of its own in bench/results, and the table made of that. */
export function writeDocTable(name: string, measured: string, rows: readonly GpuRow[]): void {
  const ms = (time: number | null): string => (time === null ? '-' : `${time.toFixed(1)} ms`);
  writeResults(name, {
    about: { ...aboutThisRun(), adapter: rows[0].adapter, measured },
    columns: ['field', '', 'wall', 'GPU', 'vertices', 'mean error', 'memory'],
    rows: rows.map((row, i) => [
      row.field === rows[i - 1]?.field ? '' : row.field,
      row.method,
      ms(row.medianMs),
      ms(row.gpuMs),
      row.nVertices,
      row.meanError?.toExponential(1) ?? '-',
      `${row.gpuMegabytes.toFixed(0)} MB`,
    ]),
  });
}

/** Kernels that take less are told together. */
const SMALL_MS = 100;

/** Writes what compiling costs: of each kernel that takes long, and of all. */
export function writeCompileTable(name: string, all: readonly CompileRow[]): void {
  const row = (what: string, rows: readonly CompileRow[]): (string | number)[] => [
    what,
    `${(rows.reduce((sum, { nBytes }) => sum + nBytes, 0) / 1000).toFixed(1)} kB`,
    `${(rows.reduce((sum, { processorMs }) => sum + processorMs, 0) / 1000).toFixed(2)} s`,
  ];
  const sorted = [...all].sort((a, b) => b.processorMs - a.processorMs);
  const large = sorted.filter(({ processorMs }) => processorMs >= SMALL_MS);
  const small = sorted.filter(({ processorMs }) => processorMs < SMALL_MS);
  const rows = [
    ...large.map((each) => row(each.kernel, [each])),
    row(`${small.length} others`, small),
    row(`all ${all.length}`, all),
  ];
  for (const cells of rows) console.log(cells.join('  '));
  const measured = 'processor time of Chromium on SwiftShader, cold, one kernel after the other';
  writeResults(name, {
    about: { ...aboutThisRun(), measured },
    columns: ['kernel', 'WGSL', 'compiling'],
    rows,
  });
}
