import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
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

/** Writes rows as CSV. */
export function writeTable(path: string, rows: readonly GpuRow[]): void {
  const names = Object.keys(rows[0]) as (keyof GpuRow)[];
  const cell = (value: unknown): string => String(value ?? '').replaceAll(',', ' ');
  const lines = rows.map((row) => names.map((name) => cell(row[name])).join(','));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${[names.join(','), ...lines].join('\n')}\n`);
}
