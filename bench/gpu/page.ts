import type { FieldAsset } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { createGpuContext } from '../../src/gpu/context.ts';
import { importSafetensors } from '../../src/import/index.ts';
import { type CompileRow, measureCompiling } from './compile.ts';
import { type GpuRow, type MeasureOptions, measure } from './measure.ts';

/** What bench/gpu/run.ts calls in the page. */
export interface BenchPage {
  measure(
    url: string,
    options: Omit<MeasureOptions, 'report'>,
  ): Promise<{ readonly adapter: string; readonly rows: GpuRow[] }>;
  /** See `measureCompiling`. */
  compile(url: string): Promise<CompileRow[]>;
}

declare global {
  var bench: BenchPage;
  function reportRow(row: GpuRow): void;
  /** Processor time of the whole browser so far. */
  function processorMs(): Promise<number>;
}

async function fieldAt(url: string): Promise<FieldAsset> {
  const bytes = await (await fetch(url)).arrayBuffer();
  return url.endsWith('.safetensors') ? importSafetensors(bytes, { name: url }) : readField(bytes);
}

globalThis.bench = {
  async compile(url) {
    return measureCompiling(await createGpuContext(), await fieldAt(url), () => globalThis.processorMs());
  },
  async measure(url, options) {
    const asset = await fieldAt(url);
    const context = await createGpuContext();
    const rows = await measure(context, asset, { ...options, report: (row) => globalThis.reportRow(row) });
    return { adapter: context.adapterName, rows };
  },
};
