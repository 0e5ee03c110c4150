import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import {
  deadField,
  FIELD_CASES,
  OBLONG_DOMAIN,
  planeMlp,
  randomField,
  randomMlp,
  withPositiveInside,
} from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';

const CASES: readonly { name: string; make: () => FieldAsset }[] = [
  ...FIELD_CASES,
  { name: 'colliding, fine', make: () => randomField(71, { L: 6, T: 6, finest: 90, roughness: 0.8 }) },
  { name: 'too fine for a pyramid', make: () => randomField(72, { L: 4, T: 10, finest: 700 }) },
  { name: 'odd table', make: () => withOddTables(randomField(73, { L: 4, T: 6, finest: 30 })) },
  {
    name: 'deep, no bias',
    make: () => randomField(74, { layers: [32, 32, 32, 32, 32, 32], hasBias: false }),
  },
  {
    name: 'deep mlp, no bias',
    make: () => randomMlp(75, [32, 32, 32, 32, 32, 32, 32, 32], { hasBias: false }),
  },
  { name: 'wide', make: () => randomField(76, { layers: [150, 7, 90] }) },
  { name: 'scaled', make: () => ({ ...withPositiveInside(randomField(77)), valueScale: 1e6 }) },
  { name: 'dead neuron', make: () => deadField() },
  {
    name: 'far from the origin',
    make: () => randomField(78, { domain: { min: [1e4, -1e4, 3e3], max: [1e4 + 2, -1e4 + 1, 3e3 + 1] } }),
  },
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

interface Box {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
}

/** A box of about 2^-exponent of the domain, often aligned with marks, sometimes flat, sometimes at the domain's end. */
function randomBox(
  asset: FieldAsset,
  marks: readonly Float64Array[],
  random: () => number,
  exponent: number,
): Box {
  const { min, max } = asset.domain;
  const lo = new Float64Array(3);
  const hi = new Float64Array(3);
  for (let k = 0; k < 3; k++) {
    const extent = (max[k] - min[k]) * 2 ** -exponent * between(random, 0.5, 1);
    const kind = random();
    const mark = marks[k][Math.floor(random() * marks[k].length)];
    const anywhere = between(random, min[k], max[k]);
    lo[k] = kind < 0.3 ? mark : kind < 0.4 ? max[k] - extent : kind < 0.5 ? mark - extent / 2 : anywhere;
    hi[k] = kind < 0.15 ? (marks[k].find((m) => m > mark) ?? max[k]) : lo[k] + (random() < 0.1 ? 0 : extent);
    lo[k] = Math.min(Math.max(lo[k], min[k]), max[k]);
    hi[k] = Math.min(Math.max(hi[k], lo[k]), max[k]);
  }
  return { lo, hi };
}

/** Corners first, then the middle of edges and faces, then anywhere. */
function pointsIn({ lo, hi }: Box, random: () => number, count: number): Float64Array {
  const points = new Float64Array(count * 3);
  for (let p = 0; p < count; p++) {
    for (let k = 0; k < 3; k++) {
      const t = p < 8 ? (p >> k) & 1 : p < 35 ? (Math.floor((p - 8) / 3 ** k) % 3) / 2 : random();
      points[p * 3 + k] = t === 1 ? hi[k] : lo[k] + t * (hi[k] - lo[k]);
    }
  }
  return points;
}

const EXPONENTS = [0, 1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 30, 45];
const N_SAMPLES = 96;

describe.each(CASES)('$name', ({ make }) => {
  const asset = make();
  const field = createCpuField(asset);
  const marks = ([0, 1, 2] as const).map((axis) => field.marks(axis));
  const isDeep = field.layerWidths.length > 3;

  it('contains every value in boxes of all sizes', () => {
    const random = seededRandom(81);
    const values = new Float64Array(N_SAMPLES);
    for (const exponent of EXPONENTS) {
      for (let b = 0; b < (isDeep ? 15 : 60); b++) {
        const box = randomBox(asset, marks, random, exponent);
        const { lo, hi } = field.bound(box.lo, box.hi);
        field.evaluate(pointsIn(box, random, N_SAMPLES), values);
        const outside = values.filter((f) => !(f >= lo && f <= hi));
        expect(outside, `seed 81, exponent ${exponent}, box ${b}: [${lo}, ${hi}]`).toHaveLength(0);
      }
    }
  });

  it('is tight where the box is small', () => {
    const random = seededRandom(82);
    const values = new Float64Array(N_SAMPLES);
    let [widths, spreads] = [0, 0];
    for (let b = 0; b < 40; b++) {
      const lo = asset.domain.min.map((m, k) => between(random, m, asset.domain.max[k]));
      const size = 2 ** -13 * (asset.domain.max[0] - asset.domain.min[0]);
      const box = {
        lo: Float64Array.from(lo),
        hi: Float64Array.from(lo, (c, k) => Math.min(asset.domain.max[k], c + size)),
      };
      const bound = field.bound(box.lo, box.hi);
      field.evaluate(pointsIn(box, random, N_SAMPLES), values);
      widths += bound.hi - bound.lo;
      spreads += Math.max(...values) - Math.min(...values);
    }
    expect(widths).toBeLessThan(1.1 * spreads + 1e-9 * asset.valueScale);
  });
});

describe('how tight', () => {
  it('a linear field is bounded exactly', () => {
    const field = createCpuField(planeMlp([0.6, -0.8, 0], 0.25));
    const { lo, hi } = field.bound([-0.5, 0, -1], [0.5, 0.25, 1]);
    expect(lo).toBeCloseTo(-0.3 - 0.2 - 0.25, 7);
    expect(hi).toBeCloseTo(0.3 - 0.25, 7);
  });

  it('a box of no size is a value', () => {
    const field = createCpuField(randomField(83));
    const point = Float64Array.of(0.123, -0.456, 0.789);
    const value = new Float64Array(1);
    field.evaluate(point, value);
    const { lo, hi } = field.bound(point, point);
    expect(hi - lo).toBeLessThan(1e-10);
    expect(value[0]).toBeGreaterThanOrEqual(lo);
    expect(value[0]).toBeLessThanOrEqual(hi);
  });

  it('reduces a lattice to little more than the boxes that hold surface', () => {
    const field = createCpuField(randomMlp(22, [32, 32, 32, 32]));
    const side = 24;
    let [nSurviving, nCrossed] = [0, 0];
    for (let i = 0; i < side ** 3; i++) {
      const lo = [i % side, Math.floor(i / side) % side, Math.floor(i / side ** 2)].map(
        (c) => -1 + (2 * c) / side,
      );
      const box = { lo: Float64Array.from(lo), hi: Float64Array.from(lo, (c) => c + 2 / side) };
      const bound = field.bound(box.lo, box.hi);
      if (bound.lo > 0 || bound.hi < 0) continue;
      nSurviving++;
      const values = new Float64Array(64);
      field.evaluate(pointsIn(box, seededRandom(i), 64), values);
      if (Math.min(...values) <= 0 && Math.max(...values) >= 0) nCrossed++;
    }
    expect(nCrossed).toBeGreaterThan(100);
    expect(nSurviving).toBeLessThan(1.6 * nCrossed);
  });

  it('says nothing where sums overflow', () => {
    const asset = randomMlp(85, [16, 16]);
    const [first, middle, last] = asset.layers;
    const layers = [first, ...Array.from({ length: 24 }, () => middle), last].map((layer) => ({
      ...layer,
      weights: layer.weights.map((w) => w * 1e17),
    }));
    const { lo, hi } = createCpuField({ ...asset, layers }).bound([-1, -1, -1], [1, 1, 1]);
    expect(lo).toBe(Number.NEGATIVE_INFINITY);
    expect(hi).toBe(Number.POSITIVE_INFINITY);
  });

  it('clamps the box to the domain', () => {
    const field = createCpuField(randomField(84, { domain: OBLONG_DOMAIN }));
    const { min, max } = OBLONG_DOMAIN;
    expect(field.bound([-9, -9, -9], [9, 9, 9])).toEqual(field.bound(min, max));
    expect(field.bound([5, 0, 2], [9, 1, 3])).toEqual(field.bound([2, 0, 2], [2, 1, 3]));
  });
});
