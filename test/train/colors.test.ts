import { describe, expect, it } from 'vitest';
import { NsdfArgumentError, NsdfFormatError } from '../../src/errors.ts';
import { createAttribute } from '../../src/field/attribute-field.ts';
import { createRandom } from '../../src/surface/check-random.ts';
import { ColorField } from '../../src/train/color-field.ts';
import { COLOR_STRIDE, ColorSource, colorSourceOf } from '../../src/train/color-source.ts';
import { ColorTrainer } from '../../src/train/color-trainer.ts';
import { trainField } from '../../src/train/index.ts';
import { planTraining } from '../../src/train/options.ts';
import { sphere, typed } from '../surface/check-meshes.ts';

const BALL = typed(sphere(2, 1));
const SMALL = {
  resolutions: [4, 10],
  hidden: [8],
  steps: 30,
  batchSize: 256,
  poolSize: 200,
  checkTolerance: 0.1,
  color: { resolutions: [4, 12], hidden: [8], log2HashmapSize: 9 },
  nWorkers: 0,
} as const;
/** Red where x > 0, blue where it is not. */
const TWO_SIDED = {
  ...BALL,
  colors: {
    vertices: Float32Array.from(BALL.positions, (_, i) =>
      i % 3 === 1 ? 0.1 : Number(BALL.positions[i - (i % 3)] > 0 === (i % 3 === 0)),
    ),
  },
};
const CUBE = { min: [-2, -2, -2], max: [2, 2, 2] } as const;

/** A square in the plane z = 0 with a texture of four pixels. */
function square(coordinates: readonly number[], wrap: 'repeat' | 'clamp' | 'mirror' = 'repeat') {
  const row = [255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255];
  return {
    positions: Float32Array.of(-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0),
    indices: Uint32Array.of(0, 1, 2, 0, 2, 3),
    colors: {
      texture: {
        coordinates: Float32Array.from(coordinates),
        image: { width: 2, height: 2, data: Uint8Array.from(row) },
        wrap: [wrap, wrap] as const,
      },
    },
  };
}

function draw(source: ColorSource, n: number): number[][] {
  const random = createRandom(5);
  const sample = new Float64Array(COLOR_STRIDE);
  return Array.from({ length: n }, () => {
    source.writeSample(random, sample, 0);
    return [...sample];
  });
}

describe('ColorSource', () => {
  it('draws points beside the surface with the texture there, in linear light, by the wrap that is asked for', () => {
    // Texels have their centres at a quarter and three quarters: the middle of the square has the mean of all four.
    const samples = draw(new ColorSource([square([0, 1, 1, 1, 1, 0, 0, 0], 'clamp')], CUBE), 400);
    for (const [x, y, z, r, g, b] of samples) {
      expect(Math.abs(z)).toBeLessThan(0.03);
      const [u, v] = [x + 0.5, 0.5 - y];
      const s = Math.min(1, Math.max(0, 2 * u - 0.5));
      const t = Math.min(1, Math.max(0, 2 * v - 0.5));
      expect(r).toBeCloseTo((1 - s) * (1 - t) + s * t, 6);
      expect(g).toBeCloseTo(s, 6);
      expect(b).toBeCloseTo(t, 6);
    }
    const shifted = (wrap: 'repeat' | 'mirror') =>
      draw(new ColorSource([square([2, 3, 3, 3, 3, 2, 2, 2], wrap)], CUBE), 50).map((sample) => sample[4]);
    const plain = (wrap: 'repeat' | 'mirror') =>
      draw(new ColorSource([square([0, 1, 1, 1, 1, 0, 0, 0], wrap)], CUBE), 50).map((sample) => sample[4]);
    for (const wrap of ['repeat', 'mirror'] as const) {
      shifted(wrap).forEach((green, i) => {
        expect(green).toBeCloseTo(plain(wrap)[i], 5);
      });
    }
    expect(plain('repeat')).not.toEqual(plain('mirror'));
  });

  it('multiplies vertex colours, and is white where a mesh among coloured ones has none', () => {
    const vertices = new Float32Array(12).fill(0.25);
    const textured = square([0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25]);
    const [sample] = draw(
      new ColorSource([{ ...textured, colors: { ...textured.colors, vertices } }], CUBE),
      1,
    );
    expect(sample.slice(3)).toEqual([0.25, 0, 0]);
    const { colors: _, ...bare } = textured;
    const both = draw(new ColorSource([bare, TWO_SIDED], CUBE), 200);
    expect(both.some((s) => s[3] === 1 && s[4] === 1 && s[5] === 1)).toBe(true);
    expect(both.some((s) => s[4] < 0.11)).toBe(true);
    expect(colorSourceOf([bare], CUBE)).toBeUndefined();
  });

  it('refuses colours of another number than the vertices', () => {
    const of = (colors: object) => () => new ColorSource([{ ...BALL, colors }], CUBE);
    expect(of({ vertices: new Float32Array(3) })).toThrow(NsdfFormatError);
    const image = { width: 2, height: 2, data: new Uint8Array(15) };
    const coordinates = new Float32Array((BALL.positions.length / 3) * 2);
    expect(of({ texture: { coordinates, image } })).toThrow(/2 x 2 pixels with 15 bytes/);
  });
});

describe('ColorField', () => {
  it('has the gradients that finite differences have', () => {
    const field = new ColorField({ ...SMALL.color, nFeaturesPerLevel: 2 }, 3);
    const random = createRandom(1);
    for (let i = 0; i < field.table.length; i++) field.table[i] = random() - 0.5;
    const sample = Float64Array.of(0.31, -0.42, 0.13, 0.9, 0.2, 0.6);
    const outputs = (): Float64Array => {
      const out = new Float64Array(3);
      const asset = { ...field.toAttribute() };
      const points = Float64Array.of(sample[0], sample[1], sample[2]);
      attributeOf(asset).evaluate(points, out);
      return out;
    };
    const before = outputs();
    const loss = () =>
      outputs().reduce((sum, y, k) => sum + weightOf(before[k]) * (y - sample[3 + k]) ** 2, 0) / 2;
    field.clear();
    field.accumulate(sample, 1);
    const h = 1e-3;
    const slope = (values: Float32Array | Float64Array, i: number): number => {
      const kept = values[i];
      values[i] = kept + h;
      const above = loss();
      values[i] = kept - h;
      const below = loss();
      values[i] = kept;
      return (above - below) / (2 * h);
    };
    let nHeld = 0;
    for (const entry of field.touched.subarray(0, field.nTouched)) {
      expectNear(field.tableGradient[entry * 2], slope(field.table, entry * 2));
      nHeld++;
    }
    for (let i = 0; i < field.mlp.length; i += 5) {
      expectNear(field.mlpGradient[i], slope(field.mlp, i));
    }
    expect(nHeld).toBeGreaterThan(8);
  });
});

describe('ColorTrainer', () => {
  const shape = { ...SMALL.color, nFeaturesPerLevel: 2 };
  const create = () => new ColorTrainer(new ColorSource([TWO_SIDED], CUBE), shape, 1, 64);
  const train = (trainers: readonly ColorTrainer[], steps: number) => {
    for (let step = 0; step < steps; step++) {
      const gradients = trainers.map((trainer, i) => trainer.gradient(10 * step + i));
      for (const trainer of trainers) trainer.apply(gradients, 1);
    }
  };

  it('keeps replicas equal bit by bit, and goes on where a state was taken', () => {
    const replicas = [create(), create()];
    train(replicas, 4);
    expect(replicas[1].state()).toEqual(replicas[0].state());
    const resumed = [create(), create()];
    for (const trainer of resumed) trainer.restore(replicas[0].state());
    train(replicas, 2);
    expect(resumed[0].state()).not.toEqual(replicas[0].state());
    train(resumed, 2);
    expect(resumed[0].state()).toEqual(replicas[0].state());
  });
});

describe('trainField', () => {
  it('gives a coloured mesh a COLOR_0 near its colours', async () => {
    const { asset, state, stats } = await trainField(TWO_SIDED, SMALL);
    expect(stats.colorError).toBeLessThan(0.12);
    const out = new Float32Array(6);
    createAttribute(asset, 'COLOR_0').evaluate(Float64Array.of(1, 0, 0, -1, 0, 0), out);
    expect(out[0]).toBeGreaterThan(0.7);
    expect(out[2]).toBeLessThan(0.3);
    expect(out[3]).toBeLessThan(0.3);
    expect(out[5]).toBeGreaterThan(0.7);
    expect(Object.keys(asset.attributes ?? {})).toEqual(['COLOR_0']);
    expect(planTraining({ color: false }).color).toBeUndefined();
    const other = { ...SMALL, color: { ...SMALL.color, hidden: [4] }, resume: state };
    await expect(trainField(TWO_SIDED, other)).rejects.toThrow(/colours of shape/);
  });

  it('refuses shapes of colours that are none', async () => {
    const of = (color: object) => trainField(TWO_SIDED, { ...SMALL, color });
    await expect(of({ resolutions: [9, 3] })).rejects.toThrow(NsdfArgumentError);
    await expect(of({ log2HashmapSize: 60 })).rejects.toThrow(/color\.log2HashmapSize is 60/);
  });
});

function expectNear(found: number, expected: number): void {
  expect(Math.abs(found - expected)).toBeLessThan(0.01 * (1 + Math.abs(expected)));
}

/** The loss's weight, which does not move with the colour. */
function weightOf(color: number): number {
  return 1 / (Math.max(0, color) + 0.1) ** 2;
}

function attributeOf(attribute: ReturnType<ColorField['toAttribute']>) {
  const shape = {
    name: 'x',
    output: { plus: 0, minus: null },
    isNegativeInside: true,
    valueScale: 1,
    domain: { min: [-1, -1, -1], max: [1, 1, 1] },
    encoding: { kind: 'none', inputSpace: 'local' },
    layers: [{ nIn: 3, nOut: 1, weights: Float32Array.of(1, 0, 0), bias: null }],
  } as const;
  return createAttribute({ ...shape, attributes: { _VALUE: attribute } }, '_VALUE');
}
