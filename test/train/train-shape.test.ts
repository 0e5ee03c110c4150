import { describe, expect, it } from 'vitest';
import { NsdfUnsupportedError } from '../../src/errors.ts';
import { fixedPoint, MAX_SHARE, productsOf, trainShapeOf } from '../../src/train/gpu/train-shape.ts';
import { FIELD_SHAPE_DEFAULTS, TrainableField } from '../../src/train/trainable-field.ts';

const field = (hidden: readonly number[]) =>
  new TrainableField({ resolutions: [3], nFeaturesPerLevel: 2, hidden });

describe('fixedPoint', () => {
  it.each([16, 100, 512, 4096, 5000, 65_536])('holds the largest sums of %i samples in 32 bits', (n) => {
    const { highUnit, lowUnit } = fixedPoint(n);
    expect((n * MAX_SHARE) / highUnit).toBeLessThan(2 ** 31);
    // What the first integer leaves is at most half of its unit.
    expect((n * highUnit) / 2 / lowUnit).toBeLessThan(2 ** 31);
    for (const unit of [highUnit, lowUnit]) expect(Number.isInteger(Math.log2(unit))).toBe(true);
  });
});

describe('trainShapeOf', () => {
  it('takes the presets, and networks that an invocation can hold', () => {
    expect(trainShapeOf(new TrainableField({ ...FIELD_SHAPE_DEFAULTS, hidden: [16, 16] }), 4096)).toEqual({
      nLevels: 3,
      nFeatures: 2,
      nInputs: 6,
      nLayers: 3,
      nValues: 6 + 16 + 16 + 1,
      nTraces: 6 + 16 + 16 + (16 + 16 + 1) + 3,
    });
    expect(trainShapeOf(field([64, 64]), 65_536).nValues).toBe(131);
    expect(() => trainShapeOf(field([256, 256]), 16)).toThrow(NsdfUnsupportedError);
    expect(() => trainShapeOf(field([4]), 65_537)).toThrow(/65537 samples/);
  });

  it('names two factors for each parameter, and for the errors, among what a sample leaves', () => {
    const small = field([3]);
    const shape = trainShapeOf(small, 16);
    const products = productsOf(small, shape);
    expect(products).toHaveLength(2 * (small.mlp.length + 2));
    expect(Math.max(...products)).toBe(shape.nTraces - 1);
    // 2 inputs, 3 neurons; δ of the neurons and of the output; slope, error, nearness.
    const layer = [5, 0, 5, 1, 6, 0, 6, 1, 7, 0, 7, 1, 5, 9, 6, 9, 7, 9];
    expect([...products]).toEqual([...layer, 8, 2, 8, 3, 8, 4, 8, 9, 10, 11, 11, 11]);
  });
});
