import { NsdfArgumentError } from '../errors.ts';
import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import { assertField } from '../format/assert-field.ts';
import type { FieldAsset, GridLevel } from '../format/asset.ts';
import { roundField } from '../format/encode-field.ts';
import type { WeightType } from '../format/extension.ts';
import { tableShape } from '../format/table-decoder.ts';
import { encodeTable } from '../format/table-encoder.ts';
import type { IntegerTable } from '../format/table-model.ts';
import { writeNsdfHashed } from '../format/write.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import { createRandom } from '../surface/check-random.ts';
import { sampleZeroSet } from '../surface/distance-samples.ts';
import { distancesToZeroSet } from '../surface/distance-to-zero-set.ts';
import { localPositions } from '../surface/mesh.ts';
import type { Triangles } from '../surface/triangle-tree.ts';
import { MeshSource } from './distance-source.ts';
import { FunctionSource } from './function-source.ts';
import { GradientKernel } from './gradient.ts';
import { KeptEntries } from './kept-entries.ts';
import { TrainableField } from './trainable-field.ts';
import { componentsOf, prepareMesh } from './training-mesh.ts';
import { tuneTables } from './tune-tables.ts';

/** How a field is made compact. Lengths are in its local units. One of `error`, `maxBytes` and `step` at most. */
export interface PackFieldOptions {
  /** Mean distance, at most, between the field's surface and the packed one's. */
  readonly error?: number;
  /** Bytes of a file of this field alone, at most. */
  readonly maxBytes?: number;
  /** What values are rounded to, as a distance. Default: a two-thousandth of the domain's longest side. */
  readonly step?: number;
  /** How the network's weights are stored. Default: `f16`. */
  readonly mlp?: 'f16' | 'f32';
  /** Steps of straight-through training after rounding. Default: 0, which is better on the shapes that were measured. */
  readonly tuneSteps?: number;
  /** What to train on there: the meshes that the field was made of. Default: the field itself. */
  readonly target?: Triangles | readonly Triangles[];
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: {
    readonly stage: 'derive' | 'tune' | 'search';
    readonly fraction: number;
  }) => void;
}

/** A field whose tables are of whole steps. */
export interface PackedField {
  /** To be written with `dtype`. */
  readonly asset: FieldAsset;
  readonly dtype: WeightType;
  /** Of a file of this field alone, with its hash. */
  readonly bytes: number;
  readonly step: number;
  /** Mean distance between the field's surface and the packed one's, the larger of both ways; measured. */
  readonly error: number;
  /** Entries of all levels, and those that are kept. */
  readonly nEntries: number;
  readonly nKept: number;
}

/** The default step and the mesh by which entries are kept, as shares of the domain's longest side. */
const STEP = 1 / 2000;
const MESH_TOLERANCE = 1 / 1000;
/** Points at which a search looks, and those of the measured error. */
const N_POINTS = 4096;
const N_MEASURED = 2048;
/** Slopes below this, of a distance's, are taken for it. */
const LEAST_SLOPE = 0.3;
/** Bits of the answer of a search for the step. */
const HALVINGS = 12;
/** Derivations after which all entries are kept rather than look for stray surface again. */
const MAX_ROUNDS = 4;
/** Magnitudes that the codec takes. */
const MAX_INTEGER = 2 ** 23;

/**
 * Makes a field compact: grid tables rounded to whole steps of a distance, entries that its surface does not need dropped. Write it
 * with `writeNsdf(asset, { dtype })`.
 *
 * The surface is derived anew from what is left: where it shows pieces that the field has not, their cells are kept, too.
 *
 * @throws {NsdfArgumentError} if an option is out of range, no step is fine enough, or the field has no grid; with `tuneSteps`, if
 * its domain is no cube.
 * @throws `options.signal.reason` when aborted.
 * @example
 * const { asset, dtype, bytes, error } = await packField(trained, { error: 2e-4 });
 * const file = writeNsdf(asset, { dtype });
 */
export async function packField(asset: FieldAsset, options: PackFieldOptions = {}): Promise<PackedField> {
  assertField(asset);
  const given = checkOptions(asset, options);
  const packing = new Packing(asset, options);
  await packing.prepare();
  if (options.tuneSteps) await packing.tune(await packing.search(given));
  for (let round = 0; ; round++) {
    const rounded = await packing.search(given);
    if (await packing.isSound(rounded.asset, round)) return packing.finish(rounded, given);
  }
}

type Goal = { readonly error: number } | { readonly maxBytes: number } | { readonly step: number };

function checkOptions(
  asset: FieldAsset,
  { error, maxBytes, step, tuneSteps = 0, mlp = 'f16' }: PackFieldOptions,
): Goal {
  const expect = (name: string, isRight: boolean, found: unknown, expected: string): void => {
    if (!isRight) throw new NsdfArgumentError(name, `${name} is ${String(found)}, expected ${expected}`);
  };
  const isLength = (n: number | undefined): boolean => n === undefined || (n > 0 && Number.isFinite(n));
  expect('error', isLength(error), error, 'a positive length');
  expect('step', isLength(step), step, 'a positive length');
  expect(
    'maxBytes',
    maxBytes === undefined || (Number.isInteger(maxBytes) && maxBytes > 0),
    maxBytes,
    'a number of bytes',
  );
  expect(
    'tuneSteps',
    Number.isInteger(tuneSteps) && tuneSteps >= 0 && tuneSteps <= 1e6,
    tuneSteps,
    'a whole number in 0..1,000,000',
  );
  expect('mlp', mlp === 'f16' || mlp === 'f32', mlp, "'f16' or 'f32'");
  const goals = [error, maxBytes, step].filter((goal) => goal !== undefined);
  expect('error', goals.length <= 1, 'given with others', 'one of error, maxBytes and step');
  if (asset.encoding.kind !== 'hash-grid') {
    throw new NsdfArgumentError(
      'asset',
      `${asset.name} has no grid, whose tables could be compact: write it as f16`,
    );
  }
  if (error !== undefined) return { error };
  if (maxBytes !== undefined) return { maxBytes };
  return { step: step ?? STEP * longestSide(asset) };
}

function longestSide({ domain: { min, max } }: FieldAsset): number {
  return Math.max(...min.map((low, k) => max[k] - low));
}

/** A field rounded to one step. */
interface Rounded {
  readonly asset: FieldAsset;
  readonly step: number;
  readonly bytes: number;
  readonly nEntries: number;
  readonly nKept: number;
  /** First-order estimate of the mean distance. */
  readonly error: number;
}

class Packing {
  private readonly original: FieldAsset;
  private readonly field: CpuField;
  private readonly options: PackFieldOptions;
  private readonly dtype: WeightType;
  private readonly side: number;
  private readonly nLevels: number;
  private asset: FieldAsset;
  private kept: KeptEntries | null = null;
  /** f64[3n]: points of the original's zero set. */
  private points = new Float64Array(0);
  private nPieces = 0;
  private isTuned = false;
  /** Root mean squares of the slopes of f by every feature. */
  private slopes = new Float64Array(0);

  constructor(asset: FieldAsset, options: PackFieldOptions) {
    const { partitions: _, ...bare } = asset;
    this.original = asset;
    this.options = options;
    this.dtype = options.mlp === 'f32' ? 'compact-f32' : 'compact';
    this.asset = roundField(bare, this.dtype);
    this.field = createCpuField(asset);
    this.side = longestSide(asset);
    this.nLevels = asset.encoding.kind === 'hash-grid' ? asset.encoding.levels.length : 0;
  }

  /** The surface, and what it needs. */
  async prepare(): Promise<void> {
    this.report('derive', 0);
    const mesh = await this.derive(this.original);
    this.points = pointsOf(this.field, this.original, N_POINTS, 1);
    this.slopes = slopesOf(this.asset, this.points);
    if (mesh.indices.length === 0 || this.asset.encoding.kind !== 'hash-grid') return;
    this.kept = new KeptEntries(this.asset.encoding, this.asset.domain);
    this.kept.add(mesh);
    this.nPieces = nPieces(mesh);
  }

  /** Trains the tables on, rounded as they are to be. */
  async tune({ asset, step }: Rounded): Promise<void> {
    const { tuneSteps = 0, target, seed = 1, signal } = this.options;
    const { encoding } = this.asset;
    if (tuneSteps === 0 || this.kept === null || encoding.kind !== 'hash-grid') return;
    const field = TrainableField.of({ ...asset, encoding });
    const steps = encoding.levels.flatMap((level, l) => this.stepsOf(level, l, step));
    const onProgress = (fraction: number): void => this.report('tune', fraction);
    const tuneOptions = { nSteps: tuneSteps, steps, seed, signal, onProgress };
    await tuneTables(field, this.kept, await this.source(target), tuneOptions);
    const levels = encoding.levels.map((level, l) => ({ ...level, params: field.levels[l].params.slice() }));
    this.asset = { ...asset, encoding: { ...encoding, levels } };
    this.isTuned = true;
  }

  private async source(target: PackFieldOptions['target']): Promise<MeshSource | FunctionSource> {
    if (target === undefined) {
      const { field } = this;
      const distance = (points: Float64Array, out: Float64Array): void => field.evaluate(points, out);
      return FunctionSource.find({ domain: this.original.domain, distance }, this.options.signal);
    }
    const meshes = 'positions' in target ? [target] : target;
    const { triangles, surface } = prepareMesh(meshes as readonly Triangles[], this.original.domain);
    return new MeshSource(triangles, surface);
  }

  /** The coarsest step that keeps the goal, by bisection of its logarithm. */
  async search(goal: Goal): Promise<Rounded> {
    if ('step' in goal) return this.round(goal.step);
    const keeps = ({ bytes, error }: Rounded): boolean =>
      'error' in goal ? error <= goal.error : bytes <= goal.maxBytes;
    // Errors grow with the step, bytes shrink: the answer is the largest that keeps an error, the smallest that keeps bytes.
    const isLargest = 'error' in goal;
    let [low, high] = [Math.log(this.side * 1e-6), Math.log(this.side * 0.05)];
    let best: Rounded | null = null;
    for (let i = 0; i < HALVINGS; i++) {
      this.options.signal?.throwIfAborted();
      const middle = 0.5 * (low + high);
      const rounded = await this.round(Math.exp(middle));
      const isKept = keeps(rounded);
      if (isKept) best = rounded;
      if (isKept === isLargest) low = middle;
      else high = middle;
      this.report('search', (i + 1) / HALVINGS);
    }
    if (best !== null) return best;
    const name = isLargest ? 'error' : 'maxBytes';
    const last = await this.round(Math.exp(isLargest ? low : high));
    const found = isLargest ? `leaves an error of ${last.error}` : `leaves ${last.bytes} bytes`;
    const wanted = 'error' in goal ? goal.error : goal.maxBytes;
    throw new NsdfArgumentError(name, `${name} is ${wanted}, but even a step of ${last.step} ${found}`);
  }

  /** Rounds the tables to a step, codes them, and takes off by how much all values are shifted. */
  private async round(step: number): Promise<Rounded> {
    const { encoding } = this.asset;
    if (encoding.kind !== 'hash-grid') throw new NsdfArgumentError('asset', 'the field has no grid');
    const F = encoding.nFeaturesPerLevel;
    let coarser: IntegerTable | null = null;
    const levels: GridLevel[] = [];
    encoding.levels.forEach((level, l) => {
      const steps = this.stepsOf(level, l, step);
      const integers = Int32Array.from(level.params, (value, i) => Math.round(value / steps[i % F]));
      const kept = this.kept?.levels[l] ?? null;
      const { table, params } = encodeTable({
        shape: tableShape(level, F, coarser),
        integers,
        kept,
        steps,
        fills: steps.map((_, j) => (kept ? meanOf(integers, kept, j, F) : 0)),
      });
      coarser = table;
      levels.push({ ...level, params });
    });
    const unshifted = { ...this.asset, encoding: { ...encoding, levels } };
    const { mean } = compare(unshifted, this.field, this.points);
    const asset = this.isTuned ? unshifted : shifted(unshifted, mean);
    const { error } = compare(asset, this.field, this.points);
    const { length } = await writeNsdfHashed(asset, { dtype: this.dtype });
    const nEntries = levels.reduce((sum, level) => sum + level.nEntries, 0);
    return { asset, step, bytes: length, nEntries, nKept: this.kept?.count() ?? nEntries, error };
  }

  /** A level's steps: `step` over its features' slopes; what no value shows in becomes 0. */
  private stepsOf({ params }: GridLevel, l: number, step: number): number[] {
    const F = this.slopes.length / this.nLevels;
    return Array.from({ length: F }, (_, j) => {
      let largest = 0;
      for (let i = j; i < params.length; i += F) largest = Math.max(largest, Math.abs(params[i]));
      const wanted = step / this.slopes[l * F + j];
      return Math.fround(Math.min(Math.max(wanted, largest / MAX_INTEGER), 4 * largest) || 1);
    });
  }

  /**
   * Whether the packed surface is the field's: it has as many pieces, and crosses no cells apart from those that were kept; that it
   * crosses cells beside them is a surface that moved a little. If not, the cells that it crosses are kept from now on.
   */
  async isSound(packed: FieldAsset, round: number): Promise<boolean> {
    if (this.kept === null) return true;
    const mesh = await this.derive(packed);
    const { nAdded, nApart } = this.kept.add(mesh, 1);
    if (nAdded === 0 || (nApart === 0 && nPieces(mesh) === this.nPieces)) return true;
    if (round + 1 >= MAX_ROUNDS) this.kept = null;
    return false;
  }

  async finish(rounded: Rounded, goal: Goal): Promise<PackedField> {
    let found = rounded;
    let error = this.measure(found.asset);
    // The search goes by a first-order estimate.
    for (let i = 0; 'error' in goal && error > goal.error; i++) {
      if (i === MAX_ROUNDS) {
        const left = `a step of ${found.step} leaves ${error}`;
        throw new NsdfArgumentError('error', `error is ${goal.error}, but ${left}`);
      }
      found = await this.round((0.98 * found.step * goal.error) / error);
      error = this.measure(found.asset);
    }
    return { ...found, dtype: this.dtype, error };
  }

  /** Mean distance between both surfaces, the larger of both ways. */
  private measure(packed: FieldAsset): number {
    const { domain } = this.original;
    const field = createCpuField(packed);
    const mean = (from: CpuField, asset: FieldAsset, to: CpuField): number => {
      const points = pointsOf(from, asset, N_MEASURED, 2);
      const distances = distancesToZeroSet(to, points, domain, createRandom(3));
      return distances.reduce((sum, d) => sum + Math.min(d, this.side), 0) / Math.max(1, distances.length);
    };
    return Math.max(mean(this.field, this.original, field), mean(field, packed, this.field));
  }

  private async derive(asset: FieldAsset): Promise<Triangles> {
    const { signal } = this.options;
    const tolerance = MESH_TOLERANCE * this.side;
    const { mesh } = await deriveMesh(asset, {
      tolerance,
      region: asset.domain,
      cache: false,
      ...(signal ? { signal } : {}),
    });
    return { positions: localPositions(mesh), indices: mesh.indices };
  }

  private report(stage: 'derive' | 'tune' | 'search', fraction: number): void {
    this.options.onProgress?.({ stage, fraction });
  }
}

function nPieces({ positions, indices }: Triangles): number {
  const components = new Set(componentsOf(indices, positions.length / 3));
  components.delete(-1);
  return components.size;
}

/** f64[3n] points of a field's zero set, about n; none where it has none. */
function pointsOf(
  field: CpuField,
  { domain }: FieldAsset,
  n: number,
  seed: number,
): Float64Array<ArrayBuffer> {
  const points: number[] = [];
  for (const batch of sampleZeroSet(field, domain, n, createRandom(seed)))
    for (const x of batch) points.push(x);
  return Float64Array.from(points);
}

/** By how much a field differs from another at points of its zero set: on average, and as a mean distance to first order. */
function compare(
  asset: FieldAsset,
  original: CpuField,
  points: Float64Array,
): { mean: number; error: number } {
  const n = points.length / 3;
  const values = new Float64Array(n);
  const gradients = new Float64Array(points.length);
  createCpuField(asset).evaluateWithGradient(points, values, gradients);
  const wanted = new Float64Array(n);
  original.evaluate(points, wanted);
  let [mean, error] = [0, 0];
  for (let i = 0; i < n; i++) {
    const off = values[i] - wanted[i];
    mean += off / n;
    const slope = Math.hypot(gradients[i * 3], gradients[i * 3 + 1], gradients[i * 3 + 2]);
    error += Math.abs(off) / Math.max(LEAST_SLOPE, slope) / n;
  }
  return { mean, error };
}

/** Mean of the kept integers of a feature, rounded: what the others are taken for. */
function meanOf(integers: Int32Array, kept: Uint8Array, j: number, F: number): number {
  let sum = 0;
  let n = 0;
  for (let i = 0; i < kept.length; i++) {
    if (kept[i] === 0) continue;
    sum += integers[i * F + j];
    n++;
  }
  return n > 0 ? Math.round(sum / n) : 0;
}

/** A field less a constant, by its last bias. */
function shifted(asset: FieldAsset, mean: number): FieldAsset {
  const { layers, output, isNegativeInside, valueScale } = asset;
  const last = layers[layers.length - 1];
  const bias = last.bias?.slice() ?? new Float32Array(last.nOut);
  bias[output.plus] -= mean / (isNegativeInside ? valueScale : -valueScale);
  return { ...asset, layers: [...layers.slice(0, -1), { ...last, bias }] };
}

/** Root mean squares of ∂f/∂φ over points, f as a distance in local units. */
function slopesOf(asset: FieldAsset, points: Float64Array): Float64Array<ArrayBuffer> {
  const { domain } = asset;
  const { min, max } = domain;
  // The cube's own units are taken for all domains: slopes by features know no direction.
  const field = TrainableField.of({ ...asset, domain: { min: [-1, -1, -1], max: [1, 1, 1] } });
  const kernel = new GradientKernel(field);
  const squares = new Float64Array(field.layers[0].nIn);
  const n = points.length / 3;
  for (let i = 0; i < points.length; i += 3) {
    const at = (k: number): number => (2 * (points[i + k] - min[k])) / (max[k] - min[k]) - 1;
    const slopes = kernel.featureSlopes(at(0), at(1), at(2));
    for (let k = 0; k < squares.length; k++) squares[k] += (slopes[k] * slopes[k]) / n;
  }
  const gradients = new Float64Array(points.length);
  createCpuField(asset).evaluateWithGradient(points, new Float64Array(n), gradients);
  const steepness = gradients.reduce((sum, x) => sum + x * x, 0) / Math.max(1, n);
  return squares.map((square) => Math.sqrt(square / (steepness || 1)));
}
