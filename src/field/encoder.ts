import type { FieldAsset, GridLevel, HashGridEncoding } from '../format/asset.ts';
import { type DomainFrame, toInput } from './frame.ts';
import { backwardHashGrid, encodeHashGrid } from './hash-grid.ts';
import { createLevelBoxes, snapDistance } from './level-boxes.ts';
import { pairInputs } from './mlp.ts';

/** Points at once: their activations stay in the first-level cache. */
export const MOST_POINTS = 64;

const ULP = 2 ** -53;

/** What makes a network's inputs of points and boxes: one kind of encoder, on the CPU. It owns scratch memory. */
export interface Encoder {
  readonly nInputs: number;
  /**
   * The network's inputs at points.
   * @param inputs f64[3n], what the frame makes of the points: the unit cube, or local coordinates.
   * @param out f64, nInputs a point, in paired layout (mlp.ts); overwritten.
   */
  encode(inputs: Float64Array, n: number, out: Float64Array): void;
  /**
   * Slopes with respect to the points, of those with respect to the inputs.
   * @param slopes f64, nInputs a point.
   * @returns f64, three a point: `slopes` itself, or scratch that is good until the next call. At most 64 points.
   */
  backward(inputs: Float64Array, n: number, slopes: Float64Array): Float64Array;
  /** @param frame maps local coordinates to `inputs`. */
  createBoxes(frame: DomainFrame): BoxEncoder;
}

/** What the encoder gives over boxes. */
export interface BoxEncoder {
  /**
   * Encloses every input of the network over a box: input_i(p) = T_i(p) + e_i(p), |e_i| <= radius[i], T_i trilinear.
   * Inputs that are trilinear themselves have radius 0.
   * @param corners f64[nInputs * 8], the values of T_i; bit k of the corner is its side along axis k.
   * @param radius f64[nInputs]
   * @param deviation f64[nInputs]: bounds how far input_i is from the trilinear interpolant of its own corner values.
   */
  encode(
    min: ArrayLike<number>,
    max: ArrayLike<number>,
    corners: Float64Array,
    radius: Float64Array,
    deviation: Float64Array,
  ): void;
  /** See `CpuField.prepareBound`. */
  prepare(min: ArrayLike<number>, max: ArrayLike<number>): Generator<void, void, void> | undefined;
  /** See `CpuField.featureRange`. */
  range(
    min: ArrayLike<number>,
    max: ArrayLike<number>,
    outLo: Float64Array,
    outHi: Float64Array,
    outIsTrilinear: Uint8Array,
  ): void;
  /** f64[nInputs]: the largest |input| in the domain. */
  readonly magnitude: Float64Array;
  /** f64[nInputs]: bounds the difference of an input as `evaluate` rounds it and as enclosed here. */
  readonly roundingError: Float64Array;
}

/** The encoder of a field or an attribute. */
export function createEncoder(encoding: FieldAsset['encoding']): Encoder {
  return encoding.kind === 'none' ? COORDINATES : createHashGrid(encoding);
}

const COORDINATES: Encoder = {
  nInputs: 3,
  encode: (inputs, n, out) => pairInputs(inputs, n, 3, out),
  backward: (_inputs, _n, slopes) => slopes,
  createBoxes: createCoordinateBoxes,
};

function createHashGrid(grid: HashGridEncoding): Encoder {
  const cell = new Int32Array(8);
  const gradients = new Float64Array(MOST_POINTS * 3);
  return {
    nInputs: grid.levels.length * grid.nFeaturesPerLevel,
    encode: (inputs, n, out) => encodeHashGrid(grid, inputs, n, out, cell),
    backward(inputs, n, slopes) {
      backwardHashGrid(grid, inputs, n, slopes, gradients, cell);
      return gradients;
    },
    createBoxes: (frame) => createGridBoxes(grid, frame),
  };
}

/** Encloses the coordinates themselves. */
function createCoordinateBoxes(frame: DomainFrame): BoxEncoder {
  const magnitude = Float64Array.from({ length: 3 }, (_, axis) =>
    Math.max(Math.abs(toInput(frame, axis, frame.min[axis])), Math.abs(frame.top[axis])),
  );
  return {
    magnitude,
    roundingError: magnitude.map((m) => 4 * ULP * m),
    encode(min, max, corners, radius, deviation) {
      deviation.fill(0);
      for (let axis = 0; axis < 3; axis++) {
        const lo = toInput(frame, axis, min[axis]);
        const hi = toInput(frame, axis, max[axis]);
        for (let c = 0; c < 8; c++) corners[axis * 8 + c] = (c >> axis) & 1 ? hi : lo;
        radius[axis] = 0;
      }
    },
    prepare: () => undefined,
    range() {},
  };
}

/** Encloses the features of a grid. */
function createGridBoxes(encoding: HashGridEncoding, frame: DomainFrame): BoxEncoder {
  const { nFeaturesPerLevel: F, levels } = encoding;
  const boxes = levels.map((level) => createLevelBoxes(level, F));
  const magnitude = Float64Array.from(levels.flatMap((level) => [...largest(level, F)]));
  const lo = new Float64Array(3);
  const hi = new Float64Array(3);
  const place = (min: ArrayLike<number>, max: ArrayLike<number>): void => {
    for (let axis = 0; axis < 3; axis++) {
      lo[axis] = toInput(frame, axis, min[axis]);
      hi[axis] = toInput(frame, axis, max[axis]);
    }
  };
  return {
    magnitude,
    roundingError: magnitude.map((m, i) => m * (64 * ULP + 8 * snapDistance(levels[Math.floor(i / F)]))),
    encode(min, max, corners, radius, deviation) {
      place(min, max);
      for (let l = 0; l < boxes.length; l++) boxes[l].encode(lo, hi, corners, radius, deviation, l * F);
    },
    prepare(min, max) {
      place(min, max);
      const waiting = boxes.map((box) => box.prepare(lo, hi)).filter((steps) => steps !== undefined);
      return waiting.length === 0 ? undefined : inTurn(waiting);
    },
    range(min, max, outLo, outHi, outIsTrilinear) {
      place(min, max);
      for (let l = 0; l < boxes.length; l++) {
        outIsTrilinear[l] = boxes[l].range(lo, hi, outLo, outHi, l * F) ? 1 : 0;
      }
    },
  };
}

function* inTurn(all: readonly Generator<void, void, void>[]): Generator<void, void, void> {
  for (const steps of all) yield* steps;
}

/** f64[F]: largest |feature|. */
function largest(level: GridLevel, F: number): Float64Array {
  const most = new Float64Array(F);
  for (let i = 0; i < level.params.length; i++)
    most[i % F] = Math.max(most[i % F], Math.abs(level.params[i]));
  return most;
}
