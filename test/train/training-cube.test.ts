import { expect, it } from 'vitest';
import { NsdfArgumentError, NsdfFormatError } from '../../src/errors.ts';
import type { Box3 } from '../../src/format/asset.ts';
import { trainField } from '../../src/train/index.ts';
import { checkCube } from '../../src/train/training-cube.ts';
import { prepareMesh } from '../../src/train/training-mesh.ts';
import { seededRandom } from '../fixtures/random.ts';
import { sphere } from '../surface/check-meshes.ts';

/** In double precision: at map coordinates single makes one place of such meshes. */
const ball = (size: number, place: number[]) => {
  const { positions, indices } = sphere(1, size, place);
  return { positions: Float64Array.from(positions), indices: Uint32Array.from(indices) };
};

const STARTED = new Error('it started');
/** Until training has begun. */
const train = (source: Parameters<typeof trainField>[0], options: Parameters<typeof trainField>[1] = {}) =>
  trainField(source, {
    nWorkers: 0,
    steps: 1,
    resolutions: [4],
    hidden: [4],
    ...options,
    onProgress: () => {
      throw STARTED;
    },
  });

it('takes the cube that it made of a small mesh at map coordinates, whose corners are rounded', () => {
  const random = seededRandom(11);
  for (let i = 0; i < 60; i++) {
    const size = 10 ** (-2.5 + 3 * random());
    const place = [4e5 + 3e5 * random(), 5.3e6 + 4e5 * random(), 900 * random()];
    const mesh = ball(size, place);
    const { domain } = prepareMesh([mesh]);
    expect(prepareMesh([mesh], domain).domain).toEqual(domain);
  }
});

it('takes such a cube of a function, too', async () => {
  const { domain } = prepareMesh([ball(0.013, [437_201.7, 5_411_033.3, 212.9])]);
  const middle = domain.min.map((low, k) => (low + domain.max[k]) / 2);
  const distance = (points: Float64Array, out: Float64Array): void => {
    for (let i = 0; i < out.length; i++)
      out[i] = Math.hypot(...middle.map((x, k) => points[i * 3 + k] - x)) - 0.01;
  };
  await expect(train({ domain, distance })).rejects.toBe(STARTED);
});

it.each([
  { name: 'sides that differ by more than rounding', min: [5e6, 0, 0], max: [5e6 + 2, 2, 2 + 1e-7] },
  { name: 'sides that differ near zero', min: [0, 0, 0], max: [1, 1, 1 + 1e-8] },
  { name: 'no extent', min: [0, 0, 0], max: [0, 0, 0] },
  { name: 'a side turned round', min: [0, 0, 0], max: [1, -1, 1] },
  { name: 'too small', min: [0, 0, 0], max: [3e-20, 3e-20, 3e-20] },
  { name: 'too large', min: [-7e20, -7e20, -7e20], max: [7e20, 7e20, 7e20] },
])('refuses a domain with $name', ({ min, max }) => {
  expect(() => checkCube({ min, max } as unknown as Box3)).toThrow(NsdfArgumentError);
});

it.each([
  { name: 'too small', size: 3e-20, place: [1e-19, 0, 0], found: /1e-18/ },
  { name: 'too large', size: 7e20, place: [0, 1e20, 0], found: /1000000000000000000/ },
  { name: 'beyond double precision', size: 1e305, place: [0, 0, 0], found: /other units/ },
  {
    name: 'too small for where it lies',
    size: 2e-9,
    place: [0, 3e6, 0],
    found: /too short for where it lies/,
  },
])('refuses a mesh $name before it is trained', async ({ size, place, found }) => {
  const error = await train(ball(size, place)).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(NsdfFormatError);
  expect((error as Error).message).toMatch(found);
  expect((error as Error).message).toContain('other units');
});

it.each(['curvature', 'eikonal', 'normal'])(
  'refuses a weight that no number is left beside: %s',
  async (name) => {
    const mesh = ball(1, [0, 0, 0]);
    await expect(train(mesh, { weights: { [name]: 1e308 } })).rejects.toMatchObject({
      name: 'NsdfArgumentError',
      message: `weights.${name} is 1e+308, expected a number from 0 to 1000000000000`,
    });
    await expect(train(mesh, { weights: { [name]: 1e12 } })).rejects.toBe(STARTED);
  },
);
