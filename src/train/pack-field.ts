import { concat } from '../arrays.ts';
import { NsdfArgumentError, NsdfBudgetError } from '../errors.ts';
import { type CpuField, createCpuField } from '../field/cpu-field.ts';
import { assertField } from '../format/assert-field.ts';
import type { FieldAsset } from '../format/asset.ts';
import { roundField } from '../format/encode-field.ts';
import type { WeightType } from '../format/extension.ts';
import { writeNsdfHashed } from '../format/write.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import { createRandom } from '../surface/check-random.ts';
import { distancesToZeroSet } from '../surface/distance-to-zero-set.ts';
import { localPositions } from '../surface/mesh.ts';
import type { Triangles } from '../surface/triangle-tree.ts';
import { meansOf, RoundingChoice, slopesOf } from './choose-roundings.ts';
import { compare, pointsOf, shifted } from './compare-fields.ts';
import { componentsOf } from './components.ts';
import { KeptEntries } from './kept-entries.ts';
import { type AttributePacking, prepareAttributes } from './pack-attributes.ts';
import { codeTables, levelsOf, nearestIntegers, stepsOf } from './round-tables.ts';
import { StepSearch } from './step-search.ts';
import { strayPoints } from './stray-points.ts';

/** How a field is made compact. Lengths are in its local units. One of `error`, `maxBytes` and `step` at most. */
export interface PackFieldOptions {
  /** Mean distance, at most, between the field's surface and the packed one's. */
  readonly error?: number;
  /** Bytes of the file, at most: of this field alone, and `bytesBeside`. */
  readonly maxBytes?: number;
  /** What the file will hold besides the field: materials, credits, a scene. Default: 0. */
  readonly bytesBeside?: number;
  /** What values are rounded to, as a distance. Default: a two-thousandth of the domain's longest side. */
  readonly step?: number;
  /** How the network's weights are stored. Default: `f16`. */
  readonly mlp?: 'f16' | 'f32';
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: {
    readonly stage: 'derive' | 'search';
    readonly fraction: number;
  }) => void;
}

/** A field whose tables are of whole steps. */
export interface PackedField {
  /** To be written with `dtype`. */
  readonly asset: FieldAsset;
  readonly dtype: WeightType;
  /** Of a file of this field alone, with its hash, and `bytesBeside`. */
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
/** Points at which a search looks, those for whose sake values are rounded up or down, and those of the measured error. */
const N_POINTS = 4096;
const N_CHOOSING = 40_000;
const N_MEASURED = 2048;
/** Bounds of a search for the step, as shares of that side; coarser ones leave no surface worth the name. */
const LEAST_STEP = 1e-6;
const LARGEST_STEP = 1e-2;
/** Derivations after which all entries are kept rather than look for stray surface again. */
const MAX_ROUNDS = 4;
/** Points of stray pieces at most, and how many steps f is to be off 0 there. */
const MAX_STRAY = 4096;
const HOLD_OFF = 4;
/** Attributes are rounded to this many times the field's own step, that one as a share of the domain's longest side, this as one of their range. */
const ATTRIBUTE_STEPS = 20;

/**
 * Makes a field compact: grid tables rounded to whole steps of a distance, entries that its surface does not need dropped. Write it
 * with `writeNsdf(asset, { dtype })`.
 *
 * The surface is derived anew from what is left: where it shows pieces that the field has not, their cells are kept, too. Grids of
 * attributes are rounded with it, to whole steps of their values, and keep what the surface meets.
 *
 * @throws {NsdfArgumentError} if an option is out of range, no step is fine enough, or the field has no grid.
 * @throws {NsdfBudgetError} if no step makes a file that small: `needed` is the smallest size that was reached.
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
  return packing.finish(await packing.pack(given), given);
}

type Goal = { readonly error: number } | { readonly maxBytes: number } | { readonly step: number };

function checkOptions(
  asset: FieldAsset,
  { error, maxBytes, bytesBeside = 0, step, mlp = 'f16' }: PackFieldOptions,
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
  expect('bytesBeside', Number.isInteger(bytesBeside) && bytesBeside >= 0, bytesBeside, 'a number of bytes');
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
  private asset: FieldAsset;
  private kept: KeptEntries | null = null;
  /** The field's own surface. */
  private mesh: Triangles = { positions: new Float32Array(0), indices: new Uint32Array(0) };
  private attributes: AttributePacking | undefined;
  /** f64[3n]: points of the original's zero set. */
  private points = new Float64Array(0);
  private nPieces = 0;
  /** f64[3n]: other ones, at which values are rounded as serves best. */
  private chosenBy = new Float64Array(0);
  /** Points at its end that are none of the surface: rounding left pieces there. */
  private nStray = 0;
  private choice: RoundingChoice | null = null;
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
  }

  /** The surface, and what it needs. */
  async prepare(): Promise<void> {
    this.report('derive', 0);
    const mesh = await this.derive(this.original);
    this.points = pointsOf(this.field, this.original, N_POINTS, 1);
    const { encoding, domain } = this.asset;
    if (encoding.kind !== 'hash-grid') return;
    this.chosenBy = pointsOf(this.field, this.original, N_CHOOSING, 4);
    const slopes = slopesOf(this.asset, this.chosenBy);
    this.slopes = meansOf(slopes, this.chosenBy.length / 3);
    if (mesh.indices.length === 0) return;
    this.choice = new RoundingChoice(encoding, domain, this.chosenBy, slopes);
    this.mesh = mesh;
    this.keepSurface();
    this.nPieces = nPieces(mesh);
    if (this.asset.attributes) this.attributes = prepareAttributes(this.asset, mesh, this.points);
  }

  /** Keeps the entries of the field's own surface alone. */
  private keepSurface(): void {
    const { encoding, domain } = this.asset;
    this.kept = null;
    if (encoding.kind !== 'hash-grid' || this.mesh.indices.length === 0) return;
    this.kept = new KeptEntries(encoding, domain);
    this.kept.add(this.mesh);
  }

  /** The field rounded so that it keeps the goal, with as many entries more as that takes. */
  async pack(goal: Goal): Promise<Rounded> {
    for (let round = 0; ; round++) {
      const rounded = await this.search(goal);
      if (await this.isSound(rounded.asset, round)) return rounded;
    }
  }

  /** The coarsest step that keeps an error, or the finest that keeps a number of bytes. */
  private async search(goal: Goal): Promise<Rounded> {
    if ('step' in goal) return this.round(goal.step);
    const isError = 'error' in goal;
    const search = new StepSearch(isError ? goal.error : goal.maxBytes, {
      first: this.side * STEP,
      least: this.side * LEAST_STEP,
      most: this.side * LARGEST_STEP,
      wanted: isError ? 'largest' : 'smallest',
    });
    let best: Rounded | null = null;
    for (let isOver = false; !isOver; ) {
      this.options.signal?.throwIfAborted();
      const rounded = await this.round(search.step);
      const found = search.take(isError ? rounded.error : rounded.bytes);
      if (found.isKept) best = rounded;
      isOver = found.isOver;
      this.report('search', search.fraction);
    }
    if (best !== null) return best;
    if ('error' in goal) {
      const last = await this.round(this.side * LEAST_STEP);
      const found = `even a step of ${last.step} leaves an error of ${last.error}`;
      throw new NsdfArgumentError('error', `error is ${goal.error}, but ${found}`);
    }
    const { bytes, step } = await this.smallest();
    const found = `the smallest file that was reached has ${bytes}, in steps of ${step}`;
    const advice = 'train with fewer features, levels or neurons, or allow more';
    throw new NsdfBudgetError(
      `at most ${goal.maxBytes} bytes are allowed, but ${found}: ${advice}`,
      bytes,
      goal.maxBytes,
    );
  }

  /** As few bytes as there can be: coarser steps shorten values, and take more entries to keep the surface whole. */
  private async smallest(): Promise<Rounded> {
    let best: Rounded | null = null;
    for (let share = LARGEST_STEP; ; share /= 2) {
      this.keepSurface();
      const found = await this.pack({ step: share * this.side });
      if (best && found.bytes >= best.bytes) return best;
      best = found;
    }
  }

  /** Rounds the tables to a step, codes them, and takes off by how much all values are shifted. */
  private async round(step: number): Promise<Rounded> {
    const { encoding } = this.asset;
    if (encoding.kind !== 'hash-grid') throw new NsdfArgumentError('asset', 'the field has no grid');
    const steps = stepsOf(encoding, this.slopes, step);
    const integers = nearestIntegers(encoding, steps);
    if (this.choice) {
      const nearest = {
        ...this.asset,
        encoding: { ...encoding, levels: levelsOf(encoding, integers, steps) },
      };
      const { errors } = compare(nearest, this.field, this.chosenBy);
      this.holdOff(errors, step);
      this.choice.choose(integers, steps, errors, this.kept);
    }
    const levels = codeTables(encoding, integers, steps, this.kept);
    const attributes = this.attributes && {
      attributes: this.attributes((ATTRIBUTE_STEPS * step) / this.side),
    };
    const unshifted = { ...this.asset, encoding: { ...encoding, levels }, ...attributes };
    const { mean } = compare(unshifted, this.field, this.points);
    const asset = shifted(unshifted, mean);
    const { error } = compare(asset, this.field, this.points);
    const { length } = await writeNsdfHashed(asset, { dtype: this.dtype });
    const nEntries = levels.reduce((sum, level) => sum + level.nEntries, 0);
    const bytes = length + (this.options.bytesBeside ?? 0);
    return { asset, step, bytes, nEntries, nKept: this.kept?.count() ?? nEntries, error };
  }

  /**
   * Whether the packed surface is the field's: it has as many pieces, and crosses no cells apart from those that were kept; that it
   * crosses cells beside them is a surface that moved a little. If not, the cells that it crosses are kept from now on; where that
   * does not do, rounding made a piece, where f is hardly of another sign, and values are rounded for the sake of these places, too.
   */
  private async isSound(packed: FieldAsset, round: number): Promise<boolean> {
    if (this.kept === null) return true;
    const mesh = await this.derive(packed);
    const { nAdded, nApart } = this.kept.add(mesh, 1);
    if (nApart === 0 && nPieces(mesh) === this.nPieces) return true;
    const isRounding = round > 0 || nAdded === 0;
    if (!(isRounding && this.addStrays(mesh)) && nAdded === 0) return true;
    if (round + 1 >= MAX_ROUNDS) this.kept = null;
    return false;
  }

  /** Has values rounded for the sake of pieces that are none of the field's; false where there are none, or that was done already. */
  private addStrays(mesh: Triangles): boolean {
    const strays = strayPoints(mesh, this.field, this.nPieces);
    const { encoding, domain } = this.asset;
    if (strays.length === 0 || this.nStray >= MAX_STRAY || encoding.kind !== 'hash-grid') return false;
    this.nStray += strays.length / 3;
    this.chosenBy = concat(Float64Array, [this.chosenBy, strays]);
    this.choice = new RoundingChoice(encoding, domain, this.chosenBy, slopesOf(this.asset, this.chosenBy));
    return true;
  }

  /** At stray pieces f is to be farther from 0, on its own side, than it was: their errors are counted from there. */
  private holdOff(errors: Float64Array, step: number): void {
    if (this.nStray === 0) return;
    const points = this.chosenBy.subarray(this.chosenBy.length - 3 * this.nStray);
    const wanted = new Float64Array(this.nStray);
    this.field.evaluate(points, wanted);
    const first = errors.length - this.nStray;
    wanted.forEach((f, i) => {
      errors[first + i] -= Math.sign(f) * HOLD_OFF * step;
    });
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
      // With other steps other entries may be needed.
      found = await this.pack({ step: (0.98 * found.step * goal.error) / error });
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

  private report(stage: 'derive' | 'search', fraction: number): void {
    this.options.onProgress?.({ stage, fraction });
  }
}

function nPieces({ positions, indices }: Triangles): number {
  const components = new Set(componentsOf(indices, positions.length / 3));
  components.delete(-1);
  return components.size;
}
