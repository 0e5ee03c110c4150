import { expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { roundField } from '../../src/format/encode-field.ts';
import { TrainableField } from '../../src/train/trainable-field.ts';
import { seededRandom } from '../fixtures/random.ts';

const RADIUS = 0.6;
const DOMAIN = { min: [-1, -1, -1], max: [1, 1, 1] } as const;

/** A ball whose network has left its first parameters as training leaves them. */
function trained(seed: number, hidden: readonly number[]): TrainableField {
  const field = new TrainableField({ resolutions: [8, 24], nFeaturesPerLevel: 2, hidden }, seed);
  const point = new Float64Array(3);
  field.setDistances(
    field.levels.map(({ resolution }, l) =>
      Float64Array.from({ length: resolution ** 3 }, (_, i) => {
        field.writeVertex(l, i, point);
        return Math.hypot(...point) - RADIUS;
      }),
    ),
  );
  const random = seededRandom(seed);
  for (let i = 0; i < field.mlp.length; i++) field.mlp[i] += 0.02 * (random() - 0.5);
  return field;
}

const CASES = [1, 2, 3, 4, 5, 6].flatMap((seed) => [[16, 16], [4], [8]].map((hidden) => ({ seed, hidden })));

it.each(CASES)('a trained field in half precision is where it was: $hidden neurons, seed $seed', (given) => {
  const { seed, hidden } = given;
  const asset = trained(seed, hidden).toAsset('ball', DOMAIN);
  const random = seededRandom(seed + 100);
  const points = new Float64Array(3 * 400);
  for (let i = 0; i < points.length; i += 3) {
    const direction = [random() - 0.5, random() - 0.5, random() - 0.5];
    const length = Math.hypot(...direction);
    for (let k = 0; k < 3; k++) points[i + k] = (RADIUS * direction[k]) / length;
  }
  const [whole, half] = [asset, roundField(asset, 'f16')].map((each) => {
    const values = new Float64Array(400);
    createCpuField(each).evaluate(points, values);
    return values;
  });
  // An eighth of the step that half precision has at the lift.
  for (let i = 0; i < 400; i++) expect(Math.abs(whole[i] - half[i])).toBeLessThan(2.5e-4);
  // What all points share is the lift's.
  const mean = whole.reduce((sum, f, i) => sum + (half[i] - f) / whole.length, 0);
  expect(Math.abs(mean)).toBeLessThan(5e-5);
});

it.each([[[16]], [[16, 16]], [[8, 8, 8]]])(
  'what is rounded on the way to the asset does not move the surface: %j',
  (hidden) => {
    const field = trained(7, hidden);
    const before = field.mlp.slice();
    const asset = field.toAsset('ball', DOMAIN);
    expect(field.mlp).toEqual(before);
    const plain = asset.layers.map((layer, l) => {
      const { nIn, nOut, weightsAt, biasAt } = field.layers[l];
      const weights = Float32Array.from(before.subarray(weightsAt, weightsAt + nIn * nOut));
      return { ...layer, weights, bias: Float32Array.from(before.subarray(biasAt, biasAt + nOut)) };
    });
    const points = Float64Array.of(RADIUS, 0, 0, 0, -RADIUS, 0, 0.1, 0.1, RADIUS);
    const values = [asset, { ...asset, layers: plain }].map((each) => {
      const f = new Float64Array(3);
      createCpuField(each).evaluate(points, f);
      return f;
    });
    for (let i = 0; i < 3; i++) expect(Math.abs(values[0][i] - values[1][i])).toBeLessThan(1e-4);
  },
);
