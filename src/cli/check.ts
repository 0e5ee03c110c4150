import { Command, Option } from 'commander';
import { NsdfArgumentError } from '../errors.ts';
import { createCpuField } from '../field/cpu-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import { CHECK_DEFAULTS, checkMesh, type MeshReport, type Spread } from '../surface/check.ts';
import { type ReadingOptions, readField, readMesh } from './files.ts';
import { MESH_FORMATS } from './mesh-files/index.ts';
import { columns, plural, positiveNumber, printJson, printLines, wholeNumber } from './output.ts';

/** Boxes along the longest axis. */
const EMPTY_RESOLUTION = 8;

interface CheckCommandOptions extends ReadingOptions {
  readonly field?: string;
  readonly format?: string;
  readonly index: number;
  readonly samples: number;
  readonly seed: number;
  readonly tolerance?: number;
  readonly json?: boolean;
}

/** `nsdf check MESH`: is it closed, manifold, oriented, and, with a field, how far off. */
export function checkCommand(): Command {
  return new Command('check')
    .description(
      'check a .glb, .ply, .obj or .stl mesh; exit status 1 where it has no surface or is not closed, manifold and oriented',
    )
    .argument('<mesh>', 'a .glb, .ply, .obj or .stl; - for standard input')
    .addOption(
      new Option('--format <name>', "the mesh's format, where its name does not say it").choices(
        MESH_FORMATS,
      ),
    )
    .option(
      '--field <file>',
      'a .nsdf or .safetensors to measure the distance to; edges on the faces of its domain may be open',
    )
    .option('--index <n>', 'which field of a file with several, counted from 0', wholeNumber, 0)
    .option(
      '--samples <n>',
      'points at which each of the two distances is measured',
      wholeNumber,
      CHECK_DEFAULTS.samples,
    )
    .option(
      '--seed <n>',
      'chooses other points: equal seeds give equal reports',
      wholeNumber,
      CHECK_DEFAULTS.seed,
    )
    .option(
      '--tolerance <length>',
      'exit status 1 where a measured distance is larger, in local units; needs --field',
      positiveNumber,
    )
    .option('--json', 'print one JSON object instead of text')
    .action(runCheck);
}

async function runCheck(path: string, options: CheckCommandOptions): Promise<void> {
  if (options.tolerance !== undefined && options.field === undefined) {
    throw new NsdfArgumentError(
      'tolerance',
      '--tolerance needs --field: there is no distance without a field',
    );
  }
  const { normals, ...mesh } = await readMesh(path, options.format, options);
  const asset =
    options.field === undefined ? undefined : (await readField(options.field, options.index, options)).asset;
  const report = await checkMesh(
    { ...mesh, ...(normals === null ? {} : { normals }) },
    {
      samples: options.samples,
      seed: options.seed,
      ...(asset === undefined ? {} : { field: createCpuField(asset), domain: asset.domain }),
    },
  );
  const isEmpty = report.nTriangles === 0;
  const isRightlyEmpty = isEmpty && asset !== undefined && (await hasNoZeroSet(asset));
  const faults = [
    ...(isEmpty && !isRightlyEmpty ? ['no triangles'] : []),
    ...faultsOf(report, isRightlyEmpty ? undefined : options.tolerance),
  ];
  if (faults.length > 0) process.exitCode = 1;
  if (options.json) printJson({ mesh: path, isSound: faults.length === 0, faults, ...report });
  else
    printLines(reportLines(path, report, isRightlyEmpty ? 'empty, as is the zero set' : faults.join(', ')));
}

/** Certified: a level as coarse as this is derived where its lattice shows nothing. */
async function hasNoZeroSet(asset: FieldAsset): Promise<boolean> {
  const { isEmpty } = await deriveMesh(asset, { resolution: EMPTY_RESOLUTION, backend: 'cpu', cache: false });
  return isEmpty;
}

function faultsOf(report: MeshReport, tolerance: number | undefined): string[] {
  const worst = Math.max(report.meshToZeroSet?.max ?? 0, report.zeroSetToMesh?.max ?? 0);
  return [
    ...(report.isClosed ? [] : ['not closed']),
    ...(report.isManifold ? [] : ['not manifold']),
    ...(report.nFoldedEdges === 0 ? [] : ['folded onto itself']),
    ...(report.isOriented ? [] : ['not oriented']),
    ...(report.isOutwardOriented ? [] : ['inside out']),
    ...(report.nNonFiniteVertices === 0 ? [] : ['not finite']),
    ...(report.nDegenerateTriangles === 0
      ? []
      : [plural(report.nDegenerateTriangles, 'degenerate triangle')]),
    ...(tolerance === undefined || worst <= tolerance ? [] : [`${worst.toExponential(2)} from the zero set`]),
  ];
}

/** @param verdict what is to be said first, where that is not that all is well */
function reportLines(path: string, report: MeshReport, verdict: string): string[] {
  const { residual, meshToZeroSet, zeroSetToMesh, genus } = report;
  const distances: [string, Spread | undefined][] = [
    ['|f| at vertices', residual],
    ['mesh to zero set', meshToZeroSet],
    ['zero set to mesh', zeroSetToMesh],
  ];
  return [
    `${path}: ${verdict || 'closed, manifold, oriented'}`,
    ...columns([
      ['vertices', `${report.nVertices}${notes(report, VERTEX_NOTES)}`],
      ['triangles', `${report.nTriangles}${notes(report, TRIANGLE_NOTES)}`],
      [
        'edges',
        `${report.nOpenEdges} open, ${report.nOpenEdgesOnDomain} open on the domain, ${report.nNonManifoldEdges} non-manifold, ${report.nMisorientedEdges} misoriented, ${report.nFoldedEdges} folded`,
      ],
      ['components', `${report.nComponents}`],
      ['Euler', `${report.eulerCharacteristic}${genus === null ? '' : `, genus ${genus}`}`],
      ...distances.flatMap(([name, spread]): [string, string][] =>
        spread === undefined ? [] : [[name, spreadText(spread)]],
      ),
    ]),
  ];
}

const VERTEX_NOTES = [
  ['nDuplicateVertices', 'at the place of another'],
  ['nSplitVertices', 'of these with another normal'],
  ['nNonManifoldVertices', 'non-manifold'],
  ['nUnusedVertices', 'in no triangle'],
  ['nNonFiniteVertices', 'not finite'],
  ['nBadNormals', 'with a normal not of unit length'],
] as const;

const TRIANGLE_NOTES = [
  ['nDuplicateTriangles', 'duplicate'],
  ['nDegenerateTriangles', 'degenerate'],
] as const;

function notes(report: MeshReport, names: readonly (readonly [keyof MeshReport, string])[]): string {
  const found = names.flatMap(([key, text]) => (report[key] === 0 ? [] : [`${String(report[key])} ${text}`]));
  return found.length === 0 ? '' : `: ${found.join(', ')}`;
}

function spreadText({ n, mean, p99, p999, max }: Spread): string {
  if (n === 0) return 'nothing to measure';
  const [a, b, c, d] = [mean, p99, p999, max].map((x) => x.toExponential(2));
  return `mean ${a}, 99 % ${b}, 99.9 % ${c}, max ${d} (${n} points)`;
}
