import { Command, Option } from 'commander';
import { NsdfArgumentError } from '../errors.ts';
import type { Box3, FieldAsset } from '../format/asset.ts';
import { roundingOf } from '../format/local-origin.ts';
import { listFields, type NsdfField, type NsdfFieldInstance } from '../format/scene.ts';
import { boundsOf } from '../format/write-bin.ts';
import { DERIVE_FLAGS, DETAIL_OPTIONS, type DeriveFlag, type DeriveOptions } from '../options.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import type { DeriveResult } from '../pipeline/figures.ts';
import { checkTopology } from '../surface/check-topology.ts';
import { localPositions } from '../surface/mesh.ts';
import { type DawnDevice, openDawn } from './dawn.ts';
import { openDestination } from './destination.ts';
import { checkEffort } from './effort.ts';
import { type ReadingOptions, readScene } from './files.ts';
import { MESH_FORMATS, type MeshData, meshFormatOf } from './mesh-files/index.ts';
import { flattenScene, isCollapsed } from './mesh-files/mesh-data.ts';
import {
  columns,
  formatBytes,
  plural,
  positiveNumber,
  printJson,
  printLines,
  startProgress,
  wholeNumber,
} from './output.ts';

/** A rounding below this share of the tolerance is not worth a word. */
const ROUNDING_SHARE = 1 / 8;

interface MeshOptions extends ReadingOptions, Pick<DeriveOptions, keyof typeof DERIVE_FLAGS> {
  readonly backend: 'auto' | 'cpu' | 'gpu' | 'webgpu';
  readonly index: number;
  readonly format?: string;
  readonly force?: boolean;
  readonly field?: string;
  readonly scene?: boolean;
  readonly json?: boolean;
}

/** `nsdf mesh IN.nsdf OUT.glb`: derives a field's mesh and writes it. */
export function meshCommand(): Command {
  const command = new Command('mesh')
    .description(
      'derive the mesh of a field (.nsdf or .safetensors) and write it as .glb, .ply, .obj or .stl',
    )
    .argument('<in>', 'a .nsdf, .glb or .safetensors; - for standard input')
    .argument('<out>', 'the file to write, its format by its ending; - for standard output');
  for (const flag of deriveFlags()) command.addOption(flag);
  return command
    .addOption(
      new Option(
        '--format <name>',
        'what to write, where the name of the output does not say it (- without it: glb)',
      ).choices(MESH_FORMATS),
    )
    .addOption(
      new Option(
        '--backend <name>',
        'where the work runs; gpu, or webgpu, needs the npm package webgpu to be installed',
      )
        .choices(['auto', 'cpu', 'gpu', 'webgpu'])
        .default('auto'),
    )
    .addOption(
      new Option('--index <n>', 'which field of a file with several, counted from 0')
        .argParser(wholeNumber)
        .default(0),
    )
    .addOption(
      new Option(
        '--field <name>',
        'the field of that name, of the node of that name, or of that number',
      ).conflicts(['index', 'scene']),
    )
    .addOption(
      new Option(
        '--scene',
        'every field where its nodes put it, instead of one field in its own units',
      ).conflicts(['index']),
    )
    .option('--force', 'derive even where an estimate says that time or memory will not do')
    .option('--json', 'print one JSON object instead of text')
    .action(runMesh);
}

/** The options of a derivation; of those that say how fine a mesh is one alone. */
function deriveFlags(): Option[] {
  const isDetail = (name: string): boolean => DETAIL_OPTIONS.some((detail) => detail === name);
  return Object.entries<DeriveFlag>(DERIVE_FLAGS).map(([name, { value, isWhole, help }], i, all) => {
    const spelled = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const flag = new Option(`--${spelled}${value === undefined ? '' : ` ${value}`}`, help);
    if (value !== undefined) flag.argParser(isWhole ? wholeNumber : positiveNumber);
    if (!isDetail(name)) return flag;
    return flag.conflicts(all.slice(i + 1).flatMap(([other]) => (isDetail(other) ? [other] : [])));
  });
}

async function runMesh(input: string, output: string, options: MeshOptions): Promise<void> {
  const format = meshFormatOf(output, options.format);
  const destination = await openDestination(output);
  const start = performance.now();
  const scene = await readScene(input, options);
  const all = listFields(scene);
  const chosen = options.scene ? all : [chooseField(all, input, options)];
  const readMs = performance.now() - start;
  for (const { field } of chosen) await checkEffort(field.asset, options);
  const dawn = options.backend === 'gpu' || options.backend === 'webgpu' ? await openDawn() : undefined;
  const results = new Map<NsdfField, DeriveResult>();
  try {
    for (const { field } of chosen) {
      if (!results.has(field))
        results.set(field, await deriveField(field.asset, deriveOptions(options, dawn)));
    }
  } finally {
    dawn?.close();
  }
  const writeStart = performance.now();
  const derived = { scene, meshOf: (field: NsdfField) => (results.get(field) as DeriveResult).mesh };
  const meshes = [...results.values()].map(({ mesh }) => mesh);
  // A format without nodes has a mesh as often as nodes have it, the others once.
  const flat = options.scene && !format.writeScene ? flattenScene(derived) : undefined;
  const written = flat ? [flat] : meshes;
  const placed = all.filter((instance) => !isCollapsed(instance));
  const bytes =
    options.scene && format.writeScene ? format.writeScene(derived) : format.write(flat ?? meshes[0]);
  await destination.write(bytes);
  const writeMs = performance.now() - writeStart;
  const notes = [
    ...(options.scene ? collapsedNotes(all, flat !== undefined) : transformNotes(chosen[0])),
    ...(format.isSingle ? roundingNotes(flat ?? meshes[0], [...results.values()]) : []),
  ];
  for (const note of notes) process.stderr.write(`nsdf: ${note}\n`);
  const summary = addUp([...results.values()]);
  const report = {
    ...summary,
    vertices: written.reduce((n, { positions }) => n + positions.length / 3, 0),
    triangles: written.reduce((n, { indices }) => n + indices.length / 3, 0),
    openEdges: [...results].reduce((n, [field, { mesh }]) => {
      const { asset } = field;
      const nPlaces = flat ? placed.filter((instance) => instance.field === field).length : 1;
      return n + nPlaces * checkTopology(mesh, asset.region ?? asset.domain).nOpenEdgesOnDomain;
    }, 0),
    input,
    output,
    field: [...results.keys()].map(({ asset }) => asset.name).join(', '),
    nFields: all.length,
    isScene: options.scene === true,
    notes,
    bytes: bytes.length,
    timeMs: { read: readMs, ...summary.timeMs, write: writeMs },
    totalTimeMs: performance.now() - start,
  };
  if (options.json) printJson(report, destination.report);
  else printLines(reportLines(report), destination.report);
}

/**
 * The field that the options name.
 * @throws {NsdfArgumentError} if there is none, or several of that name.
 */
function chooseField(
  fields: readonly NsdfFieldInstance[],
  path: string,
  { index, field: wanted }: MeshOptions,
): NsdfFieldInstance {
  const of = `${path}: there is no field ${wanted ?? index}`;
  const names = fields.map(({ field, nodeName }) => [field.asset.name, nodeName]);
  const named = fields.filter((_, i) => wanted !== undefined && names[i].includes(wanted));
  if (new Set(named.map(({ field }) => field)).size > 1) {
    const places = fields.flatMap((instance, i) => (named.includes(instance) ? [i] : [])).join(', ');
    throw new NsdfArgumentError(
      'field',
      `${path}: several fields are named ${wanted}: choose by number, ${places}`,
    );
  }
  if (named.length > 0) return named[0];
  const isNumber = wanted === undefined || /^\d{1,9}$/.test(wanted);
  const found = isNumber ? fields[wanted === undefined ? index : Number(wanted)] : undefined;
  if (found !== undefined) return found;
  const list = names
    .map(([name], i) => `${i} ${name}`)
    .slice(0, 8)
    .join(', ');
  throw new NsdfArgumentError(
    wanted === undefined ? 'index' : 'field',
    `${of}: ${plural(fields.length, 'field')} in its scene${list && ` (${list}${names.length > 8 ? ', ...' : ''})`}`,
  );
}

async function deriveField(asset: FieldAsset, options: DeriveOptions): Promise<DeriveResult> {
  const bar = startProgress(asset.name);
  return deriveMesh(asset, { ...options, onProgress: bar.update }).finally(bar.stop);
}

/** A mesh in the field's own units lies elsewhere in the scene, and is mirrored where its node mirrors. */
function transformNotes({ matrixWorld, nodeName }: NsdfFieldInstance): string[] {
  const isIdentity = matrixWorld.every((value, i) => value === (i % 5 === 0 ? 1 : 0));
  if (isIdentity) return [];
  const whose = nodeName ? `the transform of node ${nodeName}` : "the node's transform";
  return [
    `${whose} was left out: the mesh is in the field's own units (--scene writes it where the scene has it)`,
  ];
}

/** Scenes hide what is in them by a scale of 0; somebody who asks for its mesh may have meant another. */
function collapsedNotes(instances: readonly NsdfFieldInstance[], isLeftOut: boolean): string[] {
  return instances.filter(isCollapsed).map(({ field, nodeName }) => {
    const whose = nodeName ? `node ${nodeName}` : `a node of field ${field.asset.name}`;
    const what = isLeftOut ? 'it was left out' : 'nothing of it will be seen';
    return `the transform of ${whose} leaves it no volume (a scale of 0): ${what}`;
  });
}

/** What a format without doubles or transforms does to coordinates far from zero. */
function roundingNotes(mesh: MeshData, results: readonly DeriveResult[]): string[] {
  const { min, max } = boundsOf(localPositions(mesh)) as unknown as Box3;
  const rounding = mesh.indices.length > 0 ? roundingOf({ min, max }) : 0;
  const tolerance = Math.min(...results.map(({ stats }) => stats.toleranceLocal));
  if (mesh.origin === undefined && rounding <= ROUNDING_SHARE * tolerance) return [];
  if (rounding === 0) return [];
  return [
    `the format holds single precision: vertices are off by up to ${rounding.toPrecision(2)}; .glb, .ply and .obj are not`,
  ];
}

function addUp(results: readonly DeriveResult[]) {
  const parts = results.map(describe);
  const sum = (key: 'boxes' | 'boxesTested' | 'boxesSurviving' | 'boxesUnsettled') =>
    parts.reduce((n, part) => n + part[key], 0);
  const timeMs: Record<string, number> = {};
  for (const { stats } of results) {
    for (const [stage, ms] of Object.entries(stats.timeMs)) timeMs[stage] = (timeMs[stage] ?? 0) + ms;
  }
  return {
    isEmpty: parts.every(({ isEmpty }) => isEmpty),
    boxes: sum('boxes'),
    boxesTested: sum('boxesTested'),
    boxesSurviving: sum('boxesSurviving'),
    boxesUnsettled: sum('boxesUnsettled'),
    tolerance: Math.max(0, ...parts.map((part) => part.tolerance)),
    ...largest(parts, 'error'),
    ...largest(parts, 'errorBack'),
    ...(parts.some(({ isWithinTolerance }) => isWithinTolerance !== undefined) && {
      isWithinTolerance: parts.every(({ isWithinTolerance }) => isWithinTolerance !== false),
    }),
    isComplete: parts.every(({ isComplete }) => isComplete),
    methods: [...new Set(parts.map(({ method }) => method))],
    backend: parts[0]?.backend ?? 'cpu',
    backendReason: parts[0]?.backendReason ?? 'there was nothing to derive',
    timeMs,
  };
}

/** The largest of a figure, where any part has it. */
function largest<K extends 'error' | 'errorBack'>(
  parts: readonly ReturnType<typeof describe>[],
  key: K,
): Partial<Record<'error' | 'errorBack', number>> {
  const known = parts.flatMap((part) => part[key] ?? []);
  return known.length === 0 ? {} : { [key]: Math.max(...known) };
}

function deriveOptions(
  {
    json: _,
    index: _index,
    field: _field,
    scene: _scene,
    format: _format,
    force: _force,
    backend,
    ...options
  }: MeshOptions,
  dawn: DawnDevice | undefined,
): DeriveOptions {
  if (dawn === undefined) return { ...options, backend: backend === 'cpu' ? 'cpu' : 'auto' };
  return { ...options, backend: 'gpu', device: dawn.device };
}

function describe({ isEmpty, stats }: DeriveResult) {
  return {
    isEmpty,
    boxes: stats.nBoxes,
    boxesTested: stats.nBoxesTested,
    boxesSurviving: stats.nBoxesSurviving,
    boxesUnsettled: stats.nBoxesUnsettled,
    tolerance: stats.toleranceLocal,
    error: stats.errorLocal,
    errorBack: stats.errorBackLocal,
    isWithinTolerance: stats.isWithinTolerance,
    isComplete: stats.isComplete,
    method: stats.method,
    backend: stats.backend,
    backendReason: stats.backendReason,
  };
}

type MeshReport = ReturnType<typeof addUp> & {
  /** Of the meshes that were written. */
  readonly vertices: number;
  readonly triangles: number;
  readonly openEdges: number;
  readonly input: string;
  readonly output: string;
  readonly field: string;
  readonly nFields: number;
  readonly isScene: boolean;
  readonly bytes: number;
  readonly totalTimeMs: number;
};

function reportLines(report: MeshReport): string[] {
  const { output, bytes, vertices, triangles, timeMs } = report;
  const stages = Object.entries(timeMs).map(([stage, ms]) => `${stage} ${ms.toFixed(0)}`);
  const isKept =
    report.isWithinTolerance === undefined ? '' : report.isWithinTolerance ? ', kept' : ', NOT kept';
  const errors = [
    ...(report.error === undefined ? [] : [`${report.error.toPrecision(3)} from mesh to zero set`]),
    ...(report.errorBack === undefined ? [] : [`${report.errorBack.toPrecision(3)} from zero set to mesh`]),
  ];
  const others = report.nFields > 1 && !report.isScene ? ` (one of ${report.nFields}: --field chooses)` : '';
  return [
    `${output}: ${plural(vertices, 'vertex', 'vertices')}, ${plural(triangles, 'triangle')}, ${formatBytes(bytes)}`,
    ...(report.openEdges > 0
      ? [`  open at the border of the domain, on ${plural(report.openEdges, 'edge')}: --cap closes it`]
      : []),
    ...(report.isEmpty ? ['  the field has no zero set in its domain: the mesh is empty'] : []),
    ...columns([
      ['field', `${report.field}${others}`],
      ['tolerance', `${report.tolerance.toPrecision(4)}${isKept}`],
      ...(errors.length > 0 ? [['error', errors.join(', ')] as const] : []),
      ['complete', completeness(report)],
      [
        'boxes',
        `${report.boxes}, ${report.boxesTested} tested, ${report.boxesSurviving} surviving, ${report.boxesUnsettled} unsettled`,
      ],
      ['time', `${report.totalTimeMs.toFixed(0)} ms: ${stages.join(', ')}`],
      ['backend', `${report.backend} (${report.backendReason})`],
    ]),
  ];
}

/** Whether any part of the zero set can be missing, in words. */
function completeness({ isComplete, methods, boxesUnsettled }: MeshReport): string {
  if (isComplete) return 'yes: no part of the zero set is missing';
  if (methods.includes('lattice')) return 'not certified: made on a plain lattice';
  if (boxesUnsettled > 0)
    return `not certified: ${plural(boxesUnsettled, 'box', 'boxes')} could not be settled`;
  return "not certified: boxes were filled whose surface is not sure to be the field's";
}
