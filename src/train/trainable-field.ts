import { NsdfArgumentError } from '../errors.ts';
import type { Box3, FieldAsset, GridLevel, HashGridEncoding, MlpLayer, Vec3 } from '../format/asset.ts';
import { decodeHalf, encodeHalf } from '../format/half.ts';
import { createRandom } from '../surface/check-random.ts';

/** Shape of a network to train: a dense multiresolution grid and a ReLU network with one output. */
export interface FieldShape {
  /** Boxes along the unit cube, coarse to fine. */
  readonly resolutions: readonly number[];
  readonly nFeaturesPerLevel: number;
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[];
}

/**
 * Three levels, 8 to 64: measured, 5.5e-4 after 120 steps on the Stanford bunny, where four levels of 2 to 32 stay at 7.2e-4
 * after 2,000. Each has three times the cells of the one before, so that its planes are planes of the next, too (see
 * {@link nestedResolutions}). 16 and 8 neurons: with 16 and 16 a thin bowl has 620 boxes that do not settle, and the error of three
 * quarters of the steps (bunny, 2026-11-30: 3,000 steps 3.04e-4; with 16 and 8 4,000 steps 3.05e-4, 800 vertices fewer).
 */
export const FIELD_SHAPE_DEFAULTS: FieldShape = {
  resolutions: nestedResolutions(3, 64),
  nFeaturesPerLevel: 2,
  hidden: [16, 8],
};

/**
 * Resolutions of levels whose planes are planes of all finer ones: planes lie at (k - ½) / (n - 1) of the domain, so that they
 * coincide where n - 1 is an odd multiple of the coarser level's, here 3. A derivation has fewer and simpler boxes: bunny, 1,000
 * steps, 2026-11-29: 8, 22.6, 64 have 636,056 boxes, 18,877 vertices, 4.21e-4 / 4.30e-4; 8, 22, 64 have 274,625, 17,956, 3.88e-4 / 3.91e-4.
 */
export function nestedResolutions(nLevels: number, finest: number): number[] {
  return Array.from({ length: nLevels }, (_, l) => 1 + (finest - 1) / 3 ** (nLevels - 1 - l));
}

/** A dense layer in double precision. */
export interface TrainableLayer {
  readonly nIn: number;
  readonly nOut: number;
  /** Where its weights, row-major [nOut, nIn], and then its biases start in `mlp`. */
  readonly weightsAt: number;
  readonly biasAt: number;
}

/** Keeps the passed distance positive before its ReLUs; taken off again at the end. The domain is [-1, 1]³, so 3 is enough. */
const LIFT = 3;
/** Numbers of half precision from one to its double. */
const OCTAVE = 1024;
/** First values of features that carry no distance. */
const FEATURE_RANGE = 1e-3;
const BIAS_RANGE = 0.05;

/**
 * The parameters of a field while it is trained, in the cube [-1, 1]³: a table for all levels, then the network.
 *
 * Initialisation passes a distance through: feature 0 of every level is summed up by row 0 of the first layer and goes
 * unchanged through neuron 0 of the others. The tables can then start as distances, and training as a correction of a field
 * that is sound. Kaiming's alone ends at three times the error after 120 steps, and at six times the vertices.
 */
export class TrainableField {
  readonly shape: FieldShape;
  /** The tables, one after the other, entry-major. f32: what is trained is what is stored. */
  readonly table: Float32Array;
  readonly mlp: Float64Array;
  readonly levels: readonly GridLevel[];
  /** First entry of each level in `table`, and their number after the last. */
  readonly entriesAt: readonly number[];
  readonly layers: readonly TrainableLayer[];

  /**
   * @param seed of the first parameters; without one they are zero, to be written.
   * @param levels their numbers; default: dense ones that hold all that a point of the cube can touch.
   * @param storage zeros, of the lengths of `table` and `mlp`; default: arrays of its own.
   */
  constructor(
    shape: FieldShape,
    seed?: number,
    levels: readonly Omit<GridLevel, 'params'>[] = shape.resolutions.map(denseLevel),
    storage?: { readonly table: Float32Array; readonly mlp: Float64Array },
  ) {
    this.shape = shape;
    const { nFeaturesPerLevel: F } = shape;
    const entriesAt = [0];
    for (const { nEntries } of levels) entriesAt.push(entriesAt[entriesAt.length - 1] + nEntries);
    this.entriesAt = entriesAt;
    this.table = storage?.table ?? new Float32Array(entriesAt[levels.length] * F);
    this.levels = levels.map((level, l) => ({
      ...level,
      params: this.table.subarray(entriesAt[l] * F, entriesAt[l + 1] * F),
    }));
    let width = F * levels.length;
    let at = 0;
    this.layers = [...shape.hidden, 1].map((nOut) => {
      const layer = { nIn: width, nOut, weightsAt: at, biasAt: at + nOut * width };
      at += nOut * (width + 1);
      width = nOut;
      return layer;
    });
    this.mlp = storage?.mlp ?? new Float64Array(at);
    if (seed !== undefined) this.initialise(createRandom(seed));
  }

  /**
   * A field of any origin in a form that can be trained: one output, a distance in the cube.
   * @throws {NsdfArgumentError} if it has no grid, or its domain is no cube.
   */
  static of(asset: FieldAsset): TrainableField {
    const { encoding, layers, output, domain } = asset;
    const sides = domain.min.map((low, k) => domain.max[k] - low);
    const isCube = sides.every((side) => Math.abs(side - sides[0]) <= 1e-9 * sides[0]);
    if (encoding.kind !== 'hash-grid' || !isCube) {
      const found = isCube ? 'no grid' : `a domain with sides ${sides.join(', ')}`;
      throw new NsdfArgumentError('asset', `${asset.name} has ${found}: only grids in a cube can be trained`);
    }
    const { levels, nFeaturesPerLevel } = encoding;
    const hidden = layers.slice(0, -1).map(({ nOut }) => nOut);
    const shape = { resolutions: levels.map(({ scale }) => scale + 1), nFeaturesPerLevel, hidden };
    const field = new TrainableField(shape, undefined, levels);
    levels.forEach(({ params }, l) => {
      field.levels[l].params.set(params);
    });
    const unit = ((asset.isNegativeInside ? 2 : -2) * asset.valueScale) / sides[0];
    layers.forEach(({ nIn, weights, bias }, l) => {
      const { weightsAt, biasAt } = field.layers[l];
      const isLast = l === layers.length - 1;
      const rows = isLast
        ? [output.plus]
        : Array.from(bias ?? weights.slice(0, layers[l].nOut), (_, row) => row);
      rows.forEach((row, i) => {
        const value = (values: Float32Array | null, at: number, stride: number): number => {
          if (values === null) return 0;
          if (!isLast) return values[row * stride + at];
          const minus = output.minus === null ? 0 : values[output.minus * stride + at];
          return unit * (values[row * stride + at] - minus);
        };
        for (let k = 0; k < nIn; k++) field.mlp[weightsAt + i * nIn + k] = value(weights, k, nIn);
        field.mlp[biasAt + i] = value(bias, 0, 1);
      });
    });
    return field;
  }

  private initialise(random: () => number): void {
    const { mlp, layers, table, shape } = this;
    const F = shape.nFeaturesPerLevel;
    const within = (range: number) => (2 * random() - 1) * range;
    for (let i = 0; i < table.length; i++) table[i] = i % F === 0 ? 0 : within(FEATURE_RANGE);
    layers.forEach(({ nIn, nOut, weightsAt, biasAt }, l) => {
      const isLast = l === layers.length - 1;
      const range = Math.sqrt(6 / nIn);
      for (let row = 0; row < nOut; row++) {
        const isPass = row === 0;
        for (let i = 0; i < nIn; i++) {
          const passes = l === 0 ? i % F === 0 : i === 0;
          mlp[weightsAt + row * nIn + i] = isPass ? Number(passes) : l > 0 && i === 0 ? 0 : within(range);
        }
        mlp[biasAt + row] = isPass ? (l === 0 ? LIFT : isLast ? -LIFT : 0) : within(BIAS_RANGE);
      }
    });
  }

  /**
   * Starts the tables as distances: each level but those from `nLevels` on holds, at its vertices, what the coarser ones
   * leave of the distance there.
   * @param distances of each level, f64[resolution³] at its vertices, as {@link vertexOf} has them.
   */
  setDistances(distances: readonly Float64Array[]): void {
    const F = this.shape.nFeaturesPerLevel;
    distances.forEach((values, l) => {
      const { resolution: n, params } = this.levels[l];
      const point = new Float64Array(3);
      for (let i = 0; i < values.length; i++) {
        this.writeVertex(l, i, point);
        let rest = values[i];
        for (let coarser = 0; coarser < l; coarser++) rest -= this.passed(coarser, point);
        params[i * F] = rest;
      }
      if (values.length !== n ** 3)
        throw new RangeError(`level ${l}: ${values.length} distances for ${n}³ vertices`);
    });
  }

  /** Writes the position of a level's vertex i, in [-1, 1]³ and a little beyond. */
  writeVertex(level: number, i: number, out: Float64Array): void {
    const { resolution: n, scale, offset } = this.levels[level];
    out[0] = (2 * ((i % n) - offset)) / scale - 1;
    out[1] = (2 * ((Math.floor(i / n) % n) - offset)) / scale - 1;
    out[2] = (2 * (Math.floor(i / (n * n)) - offset)) / scale - 1;
  }

  /** Feature 0 of a level at a point, clamped to the cells that the table has. */
  private passed(level: number, point: Float64Array): number {
    const { resolution: n, scale, offset, params } = this.levels[level];
    const F = this.shape.nFeaturesPerLevel;
    const cell = [0, 0, 0];
    const share = [0, 0, 0];
    for (let k = 0; k < 3; k++) {
      const pos = Math.min(n - 1, Math.max(0, 0.5 * (point[k] + 1) * scale + offset));
      cell[k] = Math.min(n - 2, Math.floor(pos));
      share[k] = pos - cell[k];
    }
    let sum = 0;
    for (let c = 0; c < 8; c++) {
      let weight = 1;
      let entry = 0;
      for (let k = 2; k >= 0; k--) {
        const bit = (c >> k) & 1;
        weight *= bit === 1 ? share[k] : 1 - share[k];
        entry = entry * n + cell[k] + bit;
      }
      if (weight !== 0) sum += weight * params[entry * F];
    }
    return sum;
  }

  /**
   * The MLP with what carries the lift in numbers that half precision has, and what that leaves of each in a bias that is small: a
   * bias near the lift has steps of 2e-3 there, so that a field in half precision would be off by a thousandth of the domain. On
   * the surface neuron 0 is about the lift, so that the field stays what it is there. One hidden layer alone has no small bias.
   */
  private withHalfLift(): Float64Array {
    const { layers } = this;
    const mlp = this.mlp.slice();
    if (layers.length === 2) return this.withLiftOfHalves(mlp);
    /** Rounds a parameter; what that takes off. */
    const toHalf = (at: number): number => {
      const value = mlp[at];
      mlp[at] = decodeHalf(encodeHalf(Float32Array.of(value)))[0];
      return value - mlp[at];
    };
    let lift = mlp[layers[0].biasAt];
    let rest = toHalf(layers[0].biasAt);
    for (const { nIn, nOut, weightsAt, biasAt } of layers.slice(1)) {
      for (let row = 0; row < nOut; row++) {
        const weight = mlp[weightsAt + row * nIn];
        mlp[biasAt + row] += weight * rest + toHalf(weightsAt + row * nIn) * (lift - rest);
      }
      lift = mlp[weightsAt] * (lift - rest) + mlp[biasAt];
      rest = 0;
    }
    const [{ biasAt: before }, { weightsAt, biasAt }] = layers.slice(-2);
    mlp[before] += toHalf(biasAt) / mlp[weightsAt];
    return mlp;
  }

  /**
   * The same where there is one hidden layer. What a neuron's inputs and bias are multiplied by, its weight in the next layer can be
   * divided by, and nothing has changed: of all weights in an octave that half precision has, the one is taken whose product
   * with a bias that it has, too, carries the lift best. What is left is some 1e-6; the output's bias alone, rounded, was off by
   * up to 1e-3, which added 10 to 20 % to the error of small networks.
   */
  private withLiftOfHalves(mlp: Float64Array): Float64Array {
    const [first, last] = this.layers;
    const [weight, bias] = [mlp[last.weightsAt], mlp[first.biasAt]];
    const [output] = decodeHalf(encodeHalf(Float32Array.of(mlp[last.biasAt])));
    const wanted = weight * bias + (mlp[last.biasAt] - output);
    const [code] = encodeHalf(Float32Array.of(weight));
    const weights = decodeHalf(Uint16Array.from({ length: OCTAVE }, (_, i) => code + i - OCTAVE / 2));
    const biases = decodeHalf(encodeHalf(weights.map((w) => wanted / w)));
    const off = weights.map((w, i) => Math.abs(w * biases[i] - wanted));
    const best = off.reduce((found, x, i) => (x < off[found] ? i : found), OCTAVE / 2);
    // NaN where the weight is about 0, and so carries no lift.
    if (!(off[best] < Math.abs(wanted)) || !(weight / weights[best] > 0)) return mlp;
    for (let i = 0; i < first.nIn; i++) mlp[first.weightsAt + i] *= weight / weights[best];
    mlp[first.biasAt] = biases[best];
    mlp[last.weightsAt] = weights[best];
    mlp[last.biasAt] = output;
    return mlp;
  }

  /** The field as an asset of its own; later steps do not change it. */
  toAsset(name: string, domain: Box3): FieldAsset {
    const { levels, layers, shape } = this;
    const centre: Vec3 = domain.min;
    return {
      name,
      ...copyNetwork(shape.nFeaturesPerLevel, levels, layers, this.withHalfLift()),
      output: { plus: 0, minus: null },
      isNegativeInside: true,
      valueScale: (domain.max[0] - centre[0]) / 2,
      domain,
    };
  }
}

/**
 * A trained network as assets have it: copies of its tables and of its layers in single precision.
 * @param mlp f64, the layers' weights and biases at their places.
 */
export function copyNetwork(
  nFeaturesPerLevel: number,
  levels: readonly GridLevel[],
  layers: readonly TrainableLayer[],
  mlp: Float64Array,
): { encoding: HashGridEncoding; layers: MlpLayer[] } {
  return {
    encoding: {
      kind: 'hash-grid',
      convention: 'tiny-cuda-nn',
      nFeaturesPerLevel,
      log2HashmapSize: Math.ceil(Math.log2(Math.max(...levels.map(({ nEntries }) => nEntries)))),
      levels: levels.map((level) => ({ ...level, params: level.params.slice() })),
    },
    layers: layers.map(({ nIn, nOut, weightsAt, biasAt }) => ({
      nIn,
      nOut,
      weights: Float32Array.from(mlp.subarray(weightsAt, weightsAt + nIn * nOut)),
      bias: Float32Array.from(mlp.subarray(biasAt, biasAt + nOut)),
    })),
  };
}

function denseLevel(boxes: number): Omit<GridLevel, 'params'> {
  const resolution = storedResolution(boxes);
  const scale = Math.fround(boxes - 1);
  return { resolution, scale, offset: 0.5, nEntries: resolution ** 3, isDense: true };
}

/** Vertices an axis that a level stores: all that a point of the unit cube can touch, so that none wraps round. */
export function storedResolution(resolution: number): number {
  return Math.floor(Math.fround(resolution - 1) + 0.5) + 2;
}
