import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { deriveMesh } from '../pipeline/derive.ts';
import type { DeriveOptions, DeriveResult } from '../pipeline/options.ts';
import { type DawnDevice, openDawn } from './dawn.ts';
import { readField } from './files.ts';
import { meshFormatOf } from './mesh-files/index.ts';
import {
  columns,
  formatBytes,
  plural,
  positiveNumber,
  printJson,
  printLines,
  wholeNumber,
} from './output.ts';
import { startProgress } from './progress.ts';

interface MeshOptions {
  readonly tolerance?: number;
  readonly resolution?: number;
  readonly exact?: boolean;
  readonly maxVertices?: number;
  readonly creaseAngle?: number;
  readonly backend: 'auto' | 'cpu' | 'webgpu';
  readonly index: number;
  readonly json?: boolean;
}

/** `nsdf mesh IN.nsdf OUT.glb`: derives a field's mesh and writes it. */
export function meshCommand(): Command {
  return new Command('mesh')
    .description(
      'derive the mesh of a field (.nsdf or .safetensors) and write it as .glb, .ply, .obj or .stl',
    )
    .argument('<in>')
    .argument('<out>')
    .addOption(
      new Option(
        '--tolerance <length>',
        'largest distance between mesh and zero set, both ways, in local units',
      )
        .argParser(positiveNumber)
        .conflicts(['resolution', 'exact']),
    )
    .addOption(
      new Option('--resolution <boxes>', 'a uniform lattice of that many boxes along the longest axis')
        .argParser(wholeNumber)
        .conflicts(['exact']),
    )
    .option('--exact', 'the whole polyhedral complex')
    .option('--max-vertices <n>', 'simplify to at most that many vertices', wholeNumber)
    .option('--crease-angle <degrees>', 'split normals where the field bends by more', positiveNumber)
    .addOption(
      new Option('--backend <name>', 'where the work runs; webgpu needs the package of that name')
        .choices(['auto', 'cpu', 'webgpu'])
        .default('auto'),
    )
    .option('--index <n>', 'which field of a file with several, from 0', wholeNumber, 0)
    .option('--json', 'print one JSON object')
    .action(runMesh);
}

async function runMesh(input: string, output: string, options: MeshOptions): Promise<void> {
  const format = meshFormatOf(output);
  const start = performance.now();
  const { asset, nFields } = await readField(input, options.index);
  const readMs = performance.now() - start;
  const dawn = options.backend === 'webgpu' ? await openDawn() : undefined;
  const bar = startProgress(asset.name);
  const result = await deriveMesh(asset, {
    ...deriveOptions(options, dawn),
    onProgress: bar.update,
  }).finally(() => {
    bar.stop();
    dawn?.close();
  });
  const writeStart = performance.now();
  const bytes = format.write(result.mesh);
  await writeFile(output, bytes);
  const timeMs = { read: readMs, ...result.stats.timeMs, write: performance.now() - writeStart };
  const report = {
    ...describe(result),
    input,
    output,
    field: asset.name,
    nFields,
    bytes: bytes.length,
    timeMs,
    totalTimeMs: performance.now() - start,
  };
  if (options.json) printJson(report);
  else printLines(reportLines(report));
}

function deriveOptions(
  { json: _, index: __, backend, ...options }: MeshOptions,
  dawn: DawnDevice | undefined,
): DeriveOptions {
  if (dawn === undefined) return { ...options, backend: backend === 'cpu' ? 'cpu' : 'auto' };
  return { ...options, backend: 'gpu', device: dawn.device };
}

function describe({ isEmpty, stats }: DeriveResult) {
  return {
    vertices: stats.nVertices,
    triangles: stats.nTriangles,
    isEmpty,
    boxes: stats.nBoxes,
    boxesTested: stats.nBoxesTested,
    boxesSurviving: stats.nBoxesSurviving,
    boxesUnsettled: stats.nBoxesUnsettled,
    tolerance: stats.toleranceLocal,
    backend: stats.backend,
    backendReason: stats.backendReason,
  };
}

type MeshReport = ReturnType<typeof describe> & {
  readonly input: string;
  readonly output: string;
  readonly field: string;
  readonly nFields: number;
  readonly bytes: number;
  readonly timeMs: Readonly<Record<string, number>>;
  readonly totalTimeMs: number;
};

function reportLines(report: MeshReport): string[] {
  const { output, bytes, vertices, triangles, timeMs } = report;
  const stages = Object.entries(timeMs).map(([stage, ms]) => `${stage} ${ms.toFixed(0)}`);
  const others = report.nFields > 1 ? ` (one of ${report.nFields}: --index chooses)` : '';
  return [
    `${output}: ${plural(vertices, 'vertex', 'vertices')}, ${plural(triangles, 'triangle')}, ${formatBytes(bytes)}`,
    ...(report.isEmpty ? ['  the field has no zero set in its domain: the mesh is empty'] : []),
    ...columns([
      ['field', `${report.field}${others}`],
      ['tolerance', report.tolerance.toPrecision(4)],
      [
        'boxes',
        `${report.boxes}, ${report.boxesTested} tested, ${report.boxesSurviving} surviving, ${report.boxesUnsettled} unsettled`,
      ],
      ['time', `${report.totalTimeMs.toFixed(0)} ms: ${stages.join(', ')}`],
      ['backend', `${report.backend} (${report.backendReason})`],
    ]),
  ];
}
