import { Matrix4, Quaternion, Vector3 } from 'three';
import { describe, expect, it } from 'vitest';
import { smallestStretch } from '../../src/plugin/field-sampler.ts';
import { seededRandom } from '../fixtures/random.ts';

const ROTATION = new Quaternion().setFromAxisAngle(new Vector3(1, 2, 3).normalize(), 0.9);

/** The least |Mv| over many unit vectors, from above. */
function sampledStretch(matrix: Matrix4, seed: number): number {
  const random = seededRandom(seed);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 40_000; i++) {
    const v = new Vector3(random() - 0.5, random() - 0.5, random() - 0.5);
    if (v.lengthSq() < 1e-6) continue;
    const image = v.normalize().clone().applyMatrix4(matrix).sub(new Vector3().setFromMatrixPosition(matrix));
    least = Math.min(least, image.length());
  }
  return least;
}

describe('smallestStretch', () => {
  it.each([1, 0.001, 250])('is the factor of a uniform scale of %f, whatever the rotation', (scale) => {
    const matrix = new Matrix4().compose(new Vector3(5, -7, 2), ROTATION, new Vector3(scale, scale, scale));
    expect(smallestStretch(matrix.elements) / scale).toBeCloseTo(1, 7);
  });

  it('is the least of three different factors, mirrored ones included', () => {
    const matrix = new Matrix4().compose(new Vector3(), ROTATION, new Vector3(3, -0.5, 2));
    expect(smallestStretch(matrix.elements)).toBeCloseTo(0.5, 6);
  });

  it('is zero for a matrix that flattens', () => {
    expect(smallestStretch(new Matrix4().makeScale(1, 0, 1).elements)).toBeCloseTo(0, 7);
  });

  it.each([1, 2, 3, 4])('never exceeds a sampled stretch, and comes close to it (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const matrix = new Matrix4().fromArray(Array.from({ length: 16 }, () => random() * 4 - 2));
    matrix.elements[3] = matrix.elements[7] = matrix.elements[11] = 0;
    matrix.elements[15] = 1;
    const sampled = sampledStretch(matrix, seed + 100);
    const stretch = smallestStretch(matrix.elements);
    expect(stretch).toBeLessThanOrEqual(sampled + 1e-9);
    expect(stretch).toBeGreaterThan(sampled - 0.05);
  });
});
