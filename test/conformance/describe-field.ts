import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset, Vec3 } from '../../src/format/asset.ts';
import {
  blobMlp,
  evaluateReference,
  OBLONG_DOMAIN,
  octahedronMlp,
  randomField,
  randomMlp,
  randomPoints,
  sphereField,
  withDifferenceOutput,
  withHalfTable,
  withPositiveInside,
} from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { SEEDS } from './seeds.ts';

/** An evaluator of fields as the suite sees it: batches, asynchronous. */
export interface FieldUnderTest {
  evaluate(pointsLocal: Float32Array): Promise<ArrayLike<number>>;
  evaluateWithGradient(
    pointsLocal: Float32Array,
  ): Promise<{ readonly values: ArrayLike<number>; readonly gradients: ArrayLike<number> }>;
  boundBlocks(
    planes: readonly [Float64Array, Float64Array, Float64Array],
    blocks: Int32Array,
    size: number,
  ): Promise<{ readonly lo: ArrayLike<number>; readonly hi: ArrayLike<number> }>;
  dispose(): void;
}

/** What may differ from the plainest evaluator in float64, by the evaluator's precision. */
export const TOLERANCES = {
  double: { value: 1e-12, gradient: 1e-9, nOtherSlopes: 0, extraWidth: { 1: 0, 2: 0, 5: 0, 16: 0 } },
  // Single precision: 2^-24 of the sizes that are summed up; slopes at points that round to another cell or to the other
  // side of a kink are counted instead, at most 2 in 100. Intervals of single boxes are wider by the derived slack only;
  // coarser blocks are enclosed more simply than on the CPU, and third layers are not bounded backward.
  single: { value: 1e-5, gradient: 1e-3, nOtherSlopes: 6, extraWidth: { 1: 0.05, 2: 0.25, 5: 0.5, 16: 0.5 } },
} as const;

/** Every branch of the kernels: features a level, index rules, wrapping, depth, output rules, input spaces, domains. */
export const CONFORMANCE_CASES: readonly {
  readonly name: string;
  /** @param seed added to the case's own. */
  readonly make: (seed: number) => FieldAsset;
}[] = [
  {
    name: 'sphere, oblong domain, one feature',
    make: () => sphereField({ domain: OBLONG_DOMAIN, center: [0.1, 0.5, 2.5], radius: 0.7 }),
  },
  {
    name: 'two features, hashed, colliding',
    make: (seed) => randomField(12 + seed, { T: 7, L: 4, finest: 40 }),
  },
  { name: 'three features, odd widths', make: (seed) => randomField(31 + seed, { F: 3, layers: [5, 7] }) },
  { name: 'four features, two outputs', make: (seed) => randomField(14 + seed, { F: 4, nOutputs: 2 }) },
  {
    name: 'two features in half precision',
    make: (seed) => withHalfTable(randomField(18 + seed, { T: 7, L: 4, finest: 40 })),
  },
  {
    name: 'four features in half precision',
    make: (seed) => withHalfTable(randomField(19 + seed, { F: 4 })),
  },
  { name: 'six features in half precision', make: (seed) => withHalfTable(randomField(20 + seed, { F: 6 })) },
  {
    name: 'odd table lengths',
    make: (seed) => withOddTables(randomField(73 + seed, { L: 3, T: 6, finest: 30 })),
  },
  { name: 'no hidden layer', make: (seed) => randomField(15 + seed, { layers: [] }) },
  { name: 'one hidden layer', make: (seed) => withPositiveInside(randomField(16 + seed, { layers: [9] })) },
  {
    name: 'three hidden layers, no bias',
    make: (seed) => randomField(17 + seed, { layers: [8, 6, 5], hasBias: false }),
  },
  { name: 'coincident levels', make: () => sphereField({ cells: [8, 8] }) },
  { name: 'mlp, local input', make: (seed) => blobMlp(21 + seed) },
  {
    name: 'mlp, unit input, oblong domain',
    make: (seed) => randomMlp(23 + seed, [16, 16], { domain: OBLONG_DOMAIN, inputSpace: 'unit' }),
  },
  { name: 'mlp, difference', make: () => withDifferenceOutput(octahedronMlp()) },
];

/** Tables whose lengths are no powers of two: the modulo proper. */
function withOddTables(asset: FieldAsset): FieldAsset {
  const { encoding } = asset;
  if (encoding.kind !== 'hash-grid') throw new Error('expected a grid');
  const F = encoding.nFeaturesPerLevel;
  const levels = encoding.levels.map((level) => {
    const nEntries = level.isDense ? level.nEntries : level.nEntries - 3;
    return { ...level, nEntries, params: level.params.slice(0, nEntries * F) };
  });
  return { ...asset, encoding: { ...encoding, levels } };
}

const N_POINTS = 300;
const N_BLOCKS = 120;
const N_SAMPLES = 35;

/** Inside, on the domain's faces, edges and corners, and outside. */
function testPoints({ domain: { min, max } }: FieldAsset, seed: number): Float32Array {
  const random = seededRandom(42 + seed);
  const points = randomPoints(seededRandom(41 + seed), { min, max }, N_POINTS);
  points.forEach((point, i) => {
    if (i % 4 === 0)
      points[i] = point.map((c, k) => (random() < 0.4 ? [min, max][i & 1][k] : c)) as unknown as Vec3;
    if (i % 10 === 1)
      points[i] = point.map((c, k) => c + (random() - 0.5) * (max[k] - min[k])) as unknown as Vec3;
  });
  return Float32Array.from(points.flat());
}

/** f by the oracle: the reference inside, plus the distance from the domain. */
function expectedValue(asset: FieldAsset, point: readonly number[]): number {
  const { min, max } = asset.domain;
  const q = point.map((c, k) => Math.min(Math.max(c, min[k]), max[k]));
  const distance = Math.hypot(...point.map((c, k) => c - q[k]));
  return evaluateReference(asset, [q[0], q[1], q[2]]) + distance;
}

/** The field's own planes and random ones between them: blocks that begin and end anywhere. */
function testPlanes(asset: FieldAsset, seed: number): [Float64Array, Float64Array, Float64Array] {
  const field = createCpuField(asset);
  const random = seededRandom(43 + seed);
  const axis = (k: 0 | 1 | 2): Float64Array => {
    const own = field.marks(k);
    const more = Array.from({ length: 12 }, () => between(random, own[0], own[own.length - 1]));
    return Float64Array.from([...own, ...more]).sort();
  };
  return [axis(0), axis(1), axis(2)];
}

/** Bounds of blocks of so many boxes an axis that hold, but are looser than {@link TOLERANCES} allows. */
export interface LooseBounds {
  readonly name: string;
  readonly seed: number;
  readonly boxes: readonly number[];
}

/**
 * The suite that every evaluator of fields has to pass.
 * @param precision which row of {@link TOLERANCES} holds
 * @param loose what is known not to be tight; expected to fail, until it is mended
 */
export function describeField(
  name: string,
  makeField: (asset: FieldAsset) => Promise<FieldUnderTest>,
  precision: keyof typeof TOLERANCES,
  loose: readonly LooseBounds[] = [],
): void {
  const tolerance = TOLERANCES[precision];
  const cases = CONFORMANCE_CASES.flatMap((each) => SEEDS.map((seed) => ({ ...each, seed })));
  describe.each(cases)(`${name}: $name, seed $seed`, ({ name: caseName, make, seed }) => {
    const asset = make(seed);
    const cpu = createCpuField(asset);
    const points = testPoints(asset, seed);
    const expected = Float64Array.from({ length: N_POINTS }, (_, i) =>
      expectedValue(asset, [...points.subarray(i * 3, i * 3 + 3)]),
    );
    const scale = Math.max(1, ...expected.map(Math.abs));
    let field: FieldUnderTest;
    beforeAll(async () => {
      field = await makeField(asset);
    });
    afterAll(() => field?.dispose());

    it('gives the values of the plainest evaluator', async () => {
      const values = await field.evaluate(points);
      expect(values).toHaveLength(N_POINTS);
      for (let i = 0; i < N_POINTS; i++) {
        expect(Math.abs(values[i] - expected[i]), `point ${i}`).toBeLessThan(tolerance.value * scale);
      }
    });

    it('gives values and gradients together', async () => {
      const { values, gradients } = await field.evaluateWithGradient(points);
      const slopes = new Float64Array(N_POINTS * 3);
      cpu.evaluateWithGradient(points, new Float64Array(N_POINTS), slopes);
      const size = Math.max(1, ...slopes.map(Math.abs));
      let nOther = 0;
      for (let i = 0; i < N_POINTS; i++) {
        expect(Math.abs(values[i] - expected[i]), `point ${i}`).toBeLessThan(tolerance.value * scale);
        const difference = Math.max(
          ...[0, 1, 2].map((k) => Math.abs(gradients[i * 3 + k] - slopes[i * 3 + k])),
        );
        if (!(difference < tolerance.gradient * size)) nOther++;
      }
      expect(nOther).toBeLessThanOrEqual(tolerance.nOtherSlopes);
    });

    describe.each([1, 2, 5, 16] as const)('bounds blocks of %i boxes an axis', (boxes) => {
      let [wider, width] = [0, 0];

      it('that hold what f is there', async () => {
        const planes = testPlanes(asset, seed);
        const random = seededRandom(44 + boxes + seed);
        const blocks = Int32Array.from({ length: N_BLOCKS * 3 }, (_, i) =>
          Math.floor(random() * (planes[i % 3].length - 1)),
        );
        const { lo, hi } = await field.boundBlocks(planes, blocks, boxes);
        for (let b = 0; b < N_BLOCKS; b++) {
          const from = [0, 1, 2].map((k) => planes[k][blocks[b * 3 + k]]);
          const to = [0, 1, 2].map(
            (k) => planes[k][Math.min(blocks[b * 3 + k] + boxes, planes[k].length - 1)],
          );
          const inside = samples(from, to, random);
          const values = new Float64Array(N_SAMPLES);
          cpu.evaluate(inside, values);
          const outside = values.filter((f) => !(f >= lo[b] && f <= hi[b]));
          expect(outside, `block ${b} of ${boxes}: [${lo[b]}, ${hi[b]}]`).toHaveLength(0);
          const exact = cpu.bound(from, to);
          wider += hi[b] - lo[b] - (exact.hi - exact.lo);
          width += exact.hi - exact.lo;
        }
      });

      const isLoose = loose.some((l) => l.name === caseName && l.seed === seed && l.boxes.includes(boxes));
      (isLoose ? it.fails : it)('that are not loose', () => {
        expect(width).toBeGreaterThan(0);
        const most = tolerance.extraWidth[boxes] * width + tolerance.value * scale * N_BLOCKS;
        expect(wider).toBeLessThan(most);
      });
    });
  });
}

/** Corners first, then anywhere. */
function samples(from: readonly number[], to: readonly number[], random: () => number): Float64Array {
  return Float64Array.from({ length: N_SAMPLES * 3 }, (_, i) => {
    const [p, k] = [Math.floor(i / 3), i % 3];
    const t = p < 8 ? (p >> k) & 1 : random();
    return t === 1 ? to[k] : from[k] + t * (to[k] - from[k]);
  });
}
