import { readField } from '../../src/format/read.ts';
import { createGpuContext } from '../../src/gpu/context.ts';
import { importSafetensors } from '../../src/import/index.ts';
import { type GpuRow, type MeasureOptions, measure } from './measure.ts';

/** What bench/gpu/run.ts calls in the page. */
export interface BenchPage {
  measure(
    url: string,
    options: Omit<MeasureOptions, 'report'>,
  ): Promise<{ readonly adapter: string; readonly rows: GpuRow[] }>;
}

declare global {
  var bench: BenchPage;
  function reportRow(row: GpuRow): void;
}

globalThis.bench = {
  async measure(url, options) {
    const bytes = await (await fetch(url)).arrayBuffer();
    const asset = url.endsWith('.safetensors') ? importSafetensors(bytes, { name: url }) : readField(bytes);
    const context = await createGpuContext();
    const rows = await measure(context, asset, { ...options, report: (row) => globalThis.reportRow(row) });
    return { adapter: context.adapterName, rows };
  },
};
