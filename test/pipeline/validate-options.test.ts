import { describe, expect, test } from 'vitest';
import { NsdfArgumentError } from '../../src/errors.ts';
import type { Box3 } from '../../src/format/asset.ts';
import type { DeriveOptions } from '../../src/options.ts';
import { validateDeriveOptions } from '../../src/options.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { leastTolerance } from '../../src/pipeline/lattice-rule.ts';
import { sphereField } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';

describe('validateDeriveOptions', () => {
  test.each<DeriveOptions>([
    {},
    { tolerance: 1e-3 },
    { resolution: 1 },
    { resolution: 4096, maxVertices: 4 },
    { exact: true, creaseAngle: 30, structure: true },
    { exact: false, tolerance: 0.1 },
    { region: { min: [-1, 0, 0], max: [0, 1, 0.5] } },
    { blocks: { counts: [1, 1, 2], tolerances: Float32Array.of(0.1, 0.2) } },
    { workerLimit: { maxWorkers: 3 } },
    { backend: 'auto', signal: new AbortController().signal, onProgress: () => {} },
  ])('accepts %o', (options) => {
    expect(() => validateDeriveOptions(options)).not.toThrow();
  });

  test.each<[argument: string, options: unknown]>([
    ['tolerance', { tolerance: 0 }],
    ['tolerance', { tolerance: -1 }],
    ['tolerance', { tolerance: Number.NaN }],
    ['tolerance', { tolerance: Number.POSITIVE_INFINITY }],
    ['tolerance', { tolerance: '0.1' }],
    ['resolution', { resolution: 0 }],
    ['resolution', { resolution: 2.5 }],
    ['resolution', { resolution: 4097 }],
    ['resolution', { resolution: Number.NaN }],
    ['maxVertices', { maxVertices: 3 }],
    ['maxVertices', { maxVertices: 100.5 }],
    ['creaseAngle', { creaseAngle: 0 }],
    ['creaseAngle', { creaseAngle: 181 }],
    ['exact', { exact: 1 }],
    ['structure', { structure: 'yes' }],
    ['region', { region: null }],
    ['region', { region: { min: [0, 0, 0], max: [1, 0, 1] } }],
    ['region', { region: { min: [0, 0, 0], max: [1, 1, Number.NaN] } }],
    ['region', { region: { min: [0, 0], max: [1, 1] } }],
    ['blocks', { blocks: null }],
    ['blocks', { blocks: { counts: [1, 2], tolerances: [1, 1] } }],
    ['blocks', { blocks: { counts: [1, 1, 2], tolerances: [1] } }],
    ['blocks', { blocks: { counts: [1, 1, 2], tolerances: [1, 0] } }],
    ['blocks', { blocks: { counts: [1, 1, 65], tolerances: Array(65).fill(1) } }],
    ['blocks', { tolerance: 1, blocks: { counts: [1, 1, 1], tolerances: [1] } }],
    ['backend', { backend: 'cuda' }],
    ['workerLimit', { workerLimit: 2 }],
    ['workerLimit', { workerLimit: null }],
    ['workerLimit', { workerLimit: { maxWorkers: 0 } }],
    ['workerLimit', { workerLimit: { maxWorkers: 1.5 } }],
    ['onProgress', { onProgress: true }],
    ['signal', { signal: {} }],
    ['signal', { signal: null }],
    ['resolution', { tolerance: 1e-3, resolution: 64 }],
    ['exact', { tolerance: 1e-3, exact: true }],
    ['exact', { resolution: 64, exact: true }],
    ['options', null],
    ['options', 'exact'],
  ])('refuses %s in %o', (argument, options) => {
    const check = () => validateDeriveOptions(options as DeriveOptions);
    expect(check).toThrow(NsdfArgumentError);
    expect(check).toThrow(expect.objectContaining({ argument, code: 'argument' }));
  });

  test('says what was found and what was expected', () => {
    expect(() => validateDeriveOptions({ resolution: 2.5 })).toThrow(
      'resolution is 2.5; expected a whole number of boxes an axis, from 1 to 4096',
    );
    expect(() => validateDeriveOptions({ tolerance: 1, exact: true })).toThrow(
      'tolerance and exact are given together',
    );
  });
});

describe('a tolerance that single precision cannot hold', () => {
  const box = (half: number): Box3 => ({ min: [-half, -half, -half], max: [half, half, half] });

  test('is told from the largest rounding of a coordinate, wherever the domain lies', () => {
    const random = seededRandom(5);
    for (const half of [0.7, 1, 3, 1e4]) {
      const least = leastTolerance(box(half));
      let worst = 0;
      for (let i = 0; i < 3000; i++) {
        const error = [0, 1, 2].map(() => {
          const x = (2 * random() - 1) * half;
          return Math.fround(x) - x;
        });
        worst = Math.max(worst, Math.hypot(...error));
      }
      expect(worst).toBeLessThanOrEqual(least);
      expect(worst).toBeGreaterThan(0.6 * least);
    }
    const far: Box3 = { min: [5e5, 0, 0], max: [5e5 + 2, 2, 2] };
    expect(leastTolerance(far)).toBe(leastTolerance(box(1)));
  });

  test.each<DeriveOptions>([
    { tolerance: 3e-9 },
    { blocks: { counts: [1, 1, 2], tolerances: [1e-3, 3e-9] } },
  ])('%o is refused, with the least one that can be kept', async (options) => {
    const job = deriveMesh(sphereField(), { ...options, backend: 'cpu', cache: false });
    await expect(job).rejects.toThrow(/is 3e-9; expected at least 5\.2e-8/);
    await expect(job).rejects.toBeInstanceOf(NsdfArgumentError);
  });
});
