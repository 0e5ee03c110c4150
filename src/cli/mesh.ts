import { Command, Option } from 'commander';
import { deriveMesh } from '../pipeline/derive.ts';
import type { DeriveOptions, DeriveResult } from '../pipeline/options.ts';
import { checkTopology } from '../surface/check-topology.ts';
import { type DawnDevice, openDawn } from './dawn.ts';
import { openDestination } from './destination.ts';
import { checkEffort } from './effort.ts';
import { type ReadingOptions, readField } from './files.ts';
import { MESH_FORMATS, meshFormatOf } from './mesh-files/index.ts';
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

interface MeshOptions extends ReadingOptions {
  readonly tolerance?: number;
  readonly resolution?: number;
  readonly exact?: boolean;
  readonly cap?: boolean;
  readonly maxVertices?: number;
  readonly creaseAngle?: number;
  readonly backend: 'auto' | 'cpu' | 'gpu' | 'webgpu';
  readonly index: number;
  readonly format?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `nsdf mesh IN.nsdf OUT.glb`: derives a field's mesh and writes it. */
export function meshCommand(): Command {
  return new Command('mesh')
    .description(
      'derive the mesh of a field (.nsdf or .safetensors) and write it as .glb, .ply, .obj or .stl',
    )
    .argument('<in>', 'a .nsdf, .glb or .safetensors; - for standard input')
    .argument('<out>', 'the file to write, its format by its ending; - for standard output')
    .addOption(
      new Option(
        '--format <name>',
        'what to write, where the name of the output does not say it (- without it: glb)',
      ).choices(MESH_FORMATS),
    )
    .addOption(
      new Option(
        '--tolerance <length>',
        "largest distance between mesh and surface, both ways, in the field's units (default: the file's, else domain diagonal / 3464)",
      )
        .argParser(positiveNumber)
        .conflicts(['resolution', 'exact']),
    )
    .addOption(
      new Option(
        '--resolution <boxes>',
        'instead of a tolerance: as exact as a lattice of that many boxes along the longest axis, an eighth of its spacing',
      )
        .argParser(wholeNumber)
        .conflicts(['exact']),
    )
    .option('--exact', 'instead of a tolerance: the whole polyhedral complex, every crease of every neuron')
    .option('--cap', "close a surface that leaves the domain by the domain's faces")
    .option(
      '--max-vertices <n>',
      'simplify to at most that many vertices; the tolerance is then no longer kept',
      wholeNumber,
    )
    .option(
      '--crease-angle <degrees>',
      'hard edges where the surface bends by more (default: none)',
      positiveNumber,
    )
    .addOption(
      new Option(
        '--backend <name>',
        'where the work runs; gpu, or webgpu, needs the npm package webgpu to be installed',
      )
        .choices(['auto', 'cpu', 'gpu', 'webgpu'])
        .default('auto'),
    )
    .option('--index <n>', 'which field of a file with several, counted from 0', wholeNumber, 0)
    .option('--force', 'derive even where an estimate says that time or memory will not do')
    .option('--json', 'print one JSON object instead of text')
    .action(runMesh);
}

async function runMesh(input: string, output: string, options: MeshOptions): Promise<void> {
  const format = meshFormatOf(output, options.format);
  const destination = await openDestination(output);
  const start = performance.now();
  const { asset, nFields } = await readField(input, options.index, options);
  const readMs = performance.now() - start;
  await checkEffort(asset, options);
  const dawn = options.backend === 'gpu' || options.backend === 'webgpu' ? await openDawn() : undefined;
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
  await destination.write(bytes);
  const timeMs = { read: readMs, ...result.stats.timeMs, write: performance.now() - writeStart };
  const report = {
    ...describe(result),
    openEdges: checkTopology(result.mesh, asset.region ?? asset.domain).nOpenEdgesOnDomain,
    input,
    output,
    field: asset.name,
    nFields,
    bytes: bytes.length,
    timeMs,
    totalTimeMs: performance.now() - start,
  };
  if (options.json) printJson(report, destination.report);
  else printLines(reportLines(report), destination.report);
}

function deriveOptions(
  { json: _, index: _index, format: _format, force: _force, backend, ...options }: MeshOptions,
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
  readonly openEdges: number;
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
    ...(report.openEdges > 0
      ? [`  open at the border of the domain, on ${plural(report.openEdges, 'edge')}: --cap closes it`]
      : []),
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
