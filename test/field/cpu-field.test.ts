import { describe, expect, it } from 'vitest';
import { NsdfFormatError } from '../../src/errors.ts';
import { type CpuField, createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset, Vec3 } from '../../src/format/asset.ts';
import {
  deadField,
  evaluateReference,
  FIELD_CASES,
  OBLONG_DOMAIN,
  planeMlp,
  randomField,
  randomMlp,
  randomPoints,
  sphereField,
} from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';

/** Shapes beside the common ones: odd counts, one feature, many, widths that are no multiple of four. */
const MORE_CASES: readonly { name: string; make: () => FieldAsset }[] = [
  { name: 'F=3, widths 5 and 7', make: () => randomField(31, { F: 3, layers: [5, 7] }) },
  { name: 'F=5, one level, width 1', make: () => randomField(32, { F: 5, L: 1, layers: [1] }) },
  { name: 'F=8, T=5', make: () => randomField(33, { F: 8, T: 5, L: 5, finest: 40 }) },
  { name: '16 levels, colliding', make: () => randomField(34, { L: 16, T: 8, finest: 200, layers: [64] }) },
  { name: 'widths 33, 2, 9', make: () => randomMlp(35, [33, 2, 9]) },
  { name: 'dead neuron', make: () => deadField() },
];
const CASES = [...FIELD_CASES, ...MORE_CASES];

const flat = (points: readonly Vec3[]): Float64Array => Float64Array.from(points.flat());

/** Inside, and on the faces, edges and corners of the domain, where indices wrap round. */
function testPoints(asset: FieldAsset, count: number): Vec3[] {
  const points = randomPoints(seededRandom(41), asset.domain, count);
  const random = seededRandom(42);
  const { min, max } = asset.domain;
  return points.map((p, i) => {
    if (i % 4 !== 0) return p;
    const moved = p.map((c, k) => {
      const choice = random();
      return choice < 0.4 ? min[k] : choice < 0.8 ? max[k] : c;
    });
    return [moved[0], moved[1], moved[2]];
  });
}

function evaluateAll(field: CpuField, points: Float64Array): Float64Array {
  const out = new Float64Array(points.length / 3);
  field.evaluate(points, out);
  return out;
}

describe.each(CASES)('$name', ({ make }) => {
  const asset = make();
  const field = createCpuField(asset);
  const points = testPoints(asset, 301);
  const values = evaluateAll(field, flat(points));
  const scale = Math.max(1, ...values.map(Math.abs));

  it('agrees with the plainest evaluator', () => {
    points.forEach((p, i) => {
      expect(Math.abs(values[i] - evaluateReference(asset, p))).toBeLessThan(1e-12 * scale);
    });
  });

  it('gives a point the same value in any batch', () => {
    const alone = new Float64Array(1);
    for (const i of [0, 1, 62, 63, 64, 65, 299, 300]) {
      field.evaluate(flat([points[i]]), alone);
      expect(alone[0]).toBe(values[i]);
    }
    const reversed = evaluateAll(field, flat([...points].reverse())).reverse();
    expect(reversed).toEqual(values);
  });

  it('writes n values and no more, in either precision', () => {
    const single = new Float32Array(points.length).fill(7);
    field.evaluate(flat(points), single, 100);
    expect(single.subarray(0, 100)).toEqual(Float32Array.from(values.subarray(0, 100)));
    expect(new Set(single.subarray(100))).toEqual(new Set([7]));
    const rounded = Float32Array.from(flat(points));
    const fromSingle = new Float64Array(points.length);
    field.evaluate(rounded, fromSingle);
    expect(fromSingle).toEqual(evaluateAll(field, Float64Array.from(rounded)));
  });

  it('gives pre-activations that chain to f', () => {
    const stride = field.nPreActivations + 1;
    const n = 67;
    const out = new Float64Array(5 + n * stride + 3).fill(9);
    field.preActivations(flat(points), out, n, 5);
    expect([...out.subarray(0, 5), ...out.subarray(5 + n * stride)]).toEqual([9, 9, 9, 9, 9, 9, 9, 9]);
    for (let p = 0; p < n; p++) expectChain(field, out.subarray(5 + p * stride, 5 + (p + 1) * stride));
    for (let p = 0; p < n; p++) expect(out[5 + (p + 1) * stride - 1]).toBe(values[p]);
  });

  it('has the gradient of finite differences, away from kinks', () => {
    const wrong = countWrongGradients(field, randomPoints(seededRandom(43), asset.domain, 200));
    expect(wrong).toBeLessThanOrEqual(4);
  });
});

/** Every hidden layer is W relu(previous) + b, and f the last row, by the field's own public weights. */
function expectChain(field: CpuField, row: Float64Array): void {
  let offset = 0;
  field.layerWidths.forEach((width, layer) => {
    const [weights, bias] = [field.hiddenWeights(layer), field.hiddenBias(layer)];
    expect(bias).toHaveLength(width);
    if (layer > 0) {
      const nIn = field.layerWidths[layer - 1];
      for (let r = 0; r < width; r++) {
        let sum = bias[r];
        for (let i = 0; i < nIn; i++) sum += weights[r * nIn + i] * Math.max(0, row[offset - nIn + i]);
        expect(Math.abs(sum - row[offset + r])).toBeLessThan(1e-11 * Math.max(1, Math.abs(sum)));
      }
    }
    offset += width;
  });
  if (offset === 0) return;
  let f = field.lastBias;
  const width = field.lastWeights.length;
  for (let i = 0; i < width; i++) f += field.lastWeights[i] * Math.max(0, row[offset - width + i]);
  expect(Math.abs(f - row[offset])).toBeLessThan(1e-11 * Math.max(1, Math.abs(f)));
}

/** Points whose gradient differs from central differences though both one-sided differences agree. */
function countWrongGradients(field: CpuField, points: readonly Vec3[]): number {
  const values = new Float64Array(points.length);
  const gradients = new Float64Array(points.length * 3);
  field.evaluateWithGradient(flat(points), values, gradients);
  expect(values).toEqual(evaluateAll(field, flat(points)));
  const { min, max } = field.asset.domain;
  let wrong = 0;
  points.forEach((p, i) => {
    for (let k = 0; k < 3; k++) {
      const h = 1e-6 * (max[k] - min[k]);
      const at = (t: number): Vec3 => [
        p[0] + (k === 0 ? t : 0),
        p[1] + (k === 1 ? t : 0),
        p[2] + (k === 2 ? t : 0),
      ];
      const [below, above] = evaluateAll(field, flat([at(-h), at(h)]));
      const [left, right] = [(values[i] - below) / h, (above - values[i]) / h];
      const tolerance = 1e-5 * Math.max(1, Math.abs(left));
      if (Math.abs(left - right) > tolerance) continue;
      if (Math.abs(gradients[i * 3 + k] - (left + right) / 2) > tolerance) wrong++;
    }
  });
  return wrong;
}

describe('outside the domain', () => {
  const asset = randomField(51, { domain: OBLONG_DOMAIN });
  const field = createCpuField(asset);
  const { min, max } = asset.domain;
  const random = seededRandom(52);
  const outside = Array.from({ length: 200 }, (): Vec3 => {
    const p = [0, 1, 2].map((k) => between(random, min[k] - 3, max[k] + 3));
    return [p[0], p[1], p[2]];
  });

  it('adds the distance from the domain', () => {
    const values = evaluateAll(field, flat(outside));
    outside.forEach((p, i) => {
      const q = p.map((c, k) => Math.min(Math.max(c, min[k]), max[k]));
      const distance = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
      expect(values[i]).toBeCloseTo(evaluateReference(asset, [q[0], q[1], q[2]]) + distance, 11);
    });
  });

  it('has the gradient of that', () => {
    expect(countWrongGradients(field, outside)).toBeLessThanOrEqual(4);
  });
});

describe('kinks', () => {
  it('takes relu at 0 as active', () => {
    const asset = planeMlp([1, 0, 0], 0);
    const layers = [
      { nIn: 3, nOut: 1, weights: Float32Array.of(1, 2, 3), bias: null },
      { nIn: 1, nOut: 1, weights: Float32Array.of(5), bias: null },
    ];
    const gradients = new Float64Array(3);
    createCpuField({ ...asset, layers }).evaluateWithGradient(
      new Float64Array(3),
      new Float64Array(1),
      gradients,
    );
    expect([...gradients]).toEqual([5, 10, 15]);
  });
});

describe('marks', () => {
  it('are the grid planes of every level, sorted', () => {
    const asset = sphereField({ domain: OBLONG_DOMAIN, cells: [2, 4] });
    if (asset.encoding.kind !== 'hash-grid') throw new Error('expected a grid');
    for (const axis of [0, 1, 2] as const) {
      const [lo, hi] = [asset.domain.min[axis], asset.domain.max[axis]];
      const expected = [lo, hi];
      for (const scale of [2.25, 4.25])
        for (let k = 1; k < scale + 0.5; k++) expected.push(lo + ((k - 0.5) / scale) * (hi - lo));
      const marks = createCpuField(asset).marks(axis);
      expect(marks).toHaveLength(expected.length);
      expected
        .sort((a, b) => a - b)
        .forEach((mark, i) => {
          expect(marks[i]).toBeCloseTo(mark, 12);
        });
    }
  });

  it('of levels that coincide but for rounding are one, and the ends win', () => {
    const asset = sphereField({ cells: [4, 4] });
    const { encoding } = asset;
    if (encoding.kind !== 'hash-grid') throw new Error('expected a grid');
    const [level] = encoding.levels;
    const withScale = (scale: number): FieldAsset => ({
      ...asset,
      encoding: { ...encoding, levels: [level, { ...level, scale }] },
    });
    // 4 planes and 2 ends.
    expect(createCpuField(asset).marks(0)).toHaveLength(6);
    expect(createCpuField(withScale(level.scale * (1 + 1e-6))).marks(0)).toHaveLength(6);
    expect(createCpuField(withScale(level.scale * (1 + 1e-4))).marks(0)).toHaveLength(10);
    // scale 3.5: (4 - 1/2) / 3.5 = 1, the end.
    for (const scale of [3.5, 3.5000001]) {
      const marks = createCpuField(withScale(scale)).marks(0);
      expect(marks.at(-1)).toBe(1);
      expect(1 - marks[marks.length - 2]).toBeGreaterThan(0.1);
    }
  });

  it('of a field without a grid are the ends', () => {
    expect([...createCpuField(randomMlp(1, [8], { domain: OBLONG_DOMAIN })).marks(1)]).toEqual([-0.5, 1.5]);
  });
});

describe('what cannot be evaluated', () => {
  const asset = randomField(61);
  it('is refused with its place', () => {
    const [first, ...rest] = asset.layers;
    const broken = { ...first, nIn: first.nIn + 1 };
    expect(() => createCpuField({ ...asset, layers: [broken, ...rest] })).toThrow(NsdfFormatError);
    expect(() => createCpuField({ ...asset, layers: [broken, ...rest] })).toThrow(
      /layer 0 has 96 weights, expected 112/,
    );
    expect(() => createCpuField({ ...asset, layers: [] })).toThrow(/0 layers/);
    expect(() => createCpuField({ ...asset, output: { plus: 1, minus: 0 } })).toThrow(/row 1|rows 1/);
    const flatDomain = { min: [0, 0, 0], max: [1, 0, 1] } as const;
    expect(() => createCpuField({ ...asset, domain: flatDomain })).toThrow(NsdfFormatError);
  });
});
