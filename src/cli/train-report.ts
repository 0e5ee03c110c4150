import type { Box3 } from '../format/asset.ts';
import { readNsdf } from '../format/read.ts';
import { listFields } from '../format/scene.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import { type FieldQuality, qualityOf } from '../pipeline/measure-quality.ts';
import type { Spread } from '../surface/check-field.ts';
import { checkTopology } from '../surface/check-topology.ts';
import { localPositions } from '../surface/mesh.ts';
import type { Triangles } from '../surface/triangle-tree.ts';
import { closestOf, type DistanceSource } from '../train/distance-source.ts';
import { falseParts } from '../train/false-parts.ts';
import type { TrainStats } from '../train/index.ts';
import { type CompressedMeshes, compressAtError } from './compressed-meshes.ts';
import {
  boundingInput,
  type DistanceBothWays,
  distanceBothWays,
  MEASURED_TOLERANCE,
} from './measure-distance.ts';
import { columns, formatBytes, plural } from './output.ts';

/** What `nsdf train` tells of a field: measured on the file that it wrote. Lengths are in the input's units. */
export interface TrainReport {
  readonly bytes: number;
  readonly training: TrainStats;
  /** The mean distance that was asked for, and whether the training reached it; absent where none was. */
  readonly target?: { readonly error: number; readonly isReached: boolean };
  /** Of the mesh at the first of the tolerances. */
  readonly distance: DistanceBothWays;
  readonly vertices: readonly {
    readonly tolerance: number;
    readonly n: number;
    readonly nUnsettled: number;
  }[];
  /** Flatness error and eikonal error, as `nsdf info --quality` has them. */
  readonly quality: FieldQuality;
  readonly components: { readonly input: number; readonly result: number; readonly far: number };
  /** The input itself, simplified and compressed until it is no nearer to what it was than the field. */
  readonly compressed: CompressedMeshes;
}

/** Tolerances at which vertices are counted, beside the one that is measured, as shares of the domain's half side. */
const COARSER = [2e-3, 5e-3];

/**
 * Reads a written field back, derives it and measures it against what it was trained on.
 * @param bytes the `.nsdf`.
 */
export async function measureTraining(
  bytes: Uint8Array,
  inputs: readonly Triangles[],
  training: TrainStats,
): Promise<TrainReport> {
  const { asset } = listFields(readNsdf(bytes))[0].field;
  const half = (asset.domain.max[0] - asset.domain.min[0]) / 2;
  const [finest, ...coarser] = [MEASURED_TOLERANCE, ...COARSER].map((share) => share * half);
  const derived = await deriveMesh(asset, { tolerance: finest, structure: true, cache: false });
  const vertices = [{ tolerance: finest, ...countsOf(derived) }];
  for (const tolerance of coarser) {
    vertices.push({ tolerance, ...countsOf(await deriveMesh(asset, { tolerance, cache: false })) });
  }
  const { input, source } = boundingInput(inputs, asset.domain);
  const mesh = { positions: localPositions(derived.mesh), indices: derived.mesh.indices };
  const distance = distanceBothWays(mesh, input);
  const goal = { toInput: distance.toInput.mean, fromInput: distance.fromInput.mean };
  const isThere = distance.toInput.n > 0 && distance.fromInput.n > 0;
  return {
    bytes: bytes.length,
    training,
    distance,
    vertices,
    quality: await qualityOf(asset, derived),
    components: {
      input: training.mesh?.nComponents ?? 0,
      result: checkTopology(derived.mesh, asset.domain).nComponents,
      far: countFalse(mesh, source, asset.domain),
    },
    compressed: isThere ? await compressAtError(input, goal) : { meshes: [], missing: [] },
  };
}

function countsOf({ stats }: Awaited<ReturnType<typeof deriveMesh>>) {
  return { n: stats.nVertices, nUnsettled: stats.nBoxesUnsettled };
}

/** Components of a mesh that are none of the source's: of the file, since storing may break off what training did not. */
function countFalse({ positions, indices }: Triangles, source: DistanceSource, { min, max }: Box3): number {
  const half = (max[0] - min[0]) / 2;
  const points = Float64Array.from(positions, (x, i) => (x - min[i % 3]) / half - 1);
  return falseParts(indices, points, closestOf(source, points)).nFalse;
}

/** The report as people read it. */
export function reportLines(report: TrainReport): string[] {
  const { training, target, distance, vertices, quality, components } = report;
  const { mesh, nWorkers, workersReason, kernelReason, backend, backendReason } = training;
  const thread =
    nWorkers > 0 ? plural(nWorkers, 'worker') : `this thread${workersReason ? ` (${workersReason})` : ''}`;
  const slow = kernelReason ? `, in JavaScript (${kernelReason})` : '';
  const where = backend === 'gpu' ? `the GPU, samples by ${thread}` : thread + slow;
  return columns([
    ['training', `${plural(training.nSteps, 'step')} in ${training.seconds.toFixed(1)} s on ${where}`],
    ...(target ? [['target error', targetText(target, training)] as [string, string]] : []),
    ['backend', `${backend} (${backendReason})`],
    [
      'input',
      `${plural(mesh?.nComponents ?? 0, 'component')}, ${plural(mesh?.nOpenEdges ?? 0, 'open edge')}, ${mesh?.nTurned ?? 0} triangles turned, ${mesh?.nDropped ?? 0} dropped, ${percent(mesh?.buriedShare ?? 0)} of the surface inside`,
    ],
    ['mesh to input', spreadText(distance.toInput)],
    ['input to mesh', spreadText(distance.fromInput)],
    ...(training.colorError === undefined
      ? []
      : [
          ['colour error', `mean ${training.colorError.toFixed(4)} of a channel from 0 to 1, in sRGB`] as [
            string,
            string,
          ],
        ]),
    ['components', `${components.result}, input ${components.input}, none of its own ${components.far}`],
    ['vertices', vertices.map(verticesText).join(', ')],
    ['flatness error', spreadText(quality.flatness)],
    ['eikonal error', spreadText(quality.eikonal)],
    ...compressedRows(report),
  ]);
}

function targetText(
  { error, isReached }: NonNullable<TrainReport['target']>,
  { errorLocal }: TrainStats,
): string {
  return `${error.toExponential(2)}, ${isReached ? 'reached' : 'NOT reached'}: mean ${errorLocal.toExponential(2)} when training ended`;
}

function spreadText({ mean, p99, max }: Spread): string {
  return `mean ${mean.toExponential(2)}, 99 % ${p99.toExponential(2)}, worst ${max.toExponential(2)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

function verticesText({ tolerance, n, nUnsettled }: TrainReport['vertices'][number]): string {
  return `${n} at ${tolerance.toPrecision(2)}${nUnsettled > 0 ? ` (${nUnsettled} boxes unsettled)` : ''}`;
}

/** Won or lost against each codec. */
function compressedRows({ bytes, compressed }: TrainReport): [string, string][] {
  const rows = compressed.meshes.map((mesh): [string, string] => {
    const ratio = bytes / mesh.bytes;
    const verdict =
      ratio <= 1
        ? `this file is ${(1 / ratio).toPrecision(2)} times smaller`
        : `this file is ${ratio.toPrecision(2)} times larger`;
    return [
      `input by ${mesh.codec}`,
      `${formatBytes(mesh.bytes)} at the same mean distances (${mesh.nTriangles} triangles, ${mesh.nBits} bits): ${verdict}`,
    ];
  });
  const { missing } = compressed;
  if (missing.length === 0) return rows;
  return [
    ...rows,
    ['not compared', `\`npm install ${missing.join(' ')}\` compares with the input compressed by them`],
  ];
}
