import { describe, expect, it } from 'vitest';
import { deriveLevelShapes, readGridShape } from '../../src/import/grid-levels.ts';
import { Metadata } from '../../src/import/metadata.ts';

/** Levels of trained networks as their training program stored them. */
const STORED = [
  {
    grid: { nLevels: 4, baseResolution: 2, perLevelScale: 2.519842099789746, log2HashmapSize: 19 },
    scales: [1.0, 4.039684295654297, 11.699209213256836, 31.0],
    resolutions: [2, 6, 13, 32],
    entries: [8, 216, 2200, 32768],
    dense: [true, true, true, true],
  },
  {
    grid: { nLevels: 4, baseResolution: 2, perLevelScale: 3.1748021039363987, log2HashmapSize: 19 },
    scales: [1.0, 5.34960412979126, 19.158735275268555, 63.0],
    resolutions: [2, 7, 21, 64],
    entries: [8, 344, 9264, 262144],
    dense: [true, true, true, true],
  },
  {
    grid: { nLevels: 8, baseResolution: 4, perLevelScale: 1.640670712015276, log2HashmapSize: 19 },
    scales: [
      3, 5.562682628631592, 9.76720142364502, 16.66543197631836, 27.983154296875, 46.55181121826172,
      77.01686096191406, 126.99995422363281,
    ],
    resolutions: [4, 7, 11, 18, 29, 48, 79, 128],
    entries: [64, 344, 1336, 5832, 24392, 110592, 493040, 524288],
    dense: [true, true, true, true, true, true, true, false],
  },
];

describe.each(STORED)(
  '$grid.nLevels levels from $grid.baseResolution',
  ({ grid, scales, resolutions, entries, dense }) => {
    it('are derived as tiny-cuda-nn does, but for an ulp of a scale', () => {
      const shapes = deriveLevelShapes(grid);
      expect(shapes.map(({ resolution }) => resolution)).toEqual(resolutions);
      expect(shapes.map(({ nEntries }) => nEntries)).toEqual(entries);
      expect(shapes.map(({ isDense }) => isDense)).toEqual(dense);
      shapes.forEach(({ scale, offset }, l) => {
        expect(Math.abs(scale - scales[l])).toBeLessThanOrEqual(1e-6 * scales[l]);
        expect(scale).toBe(Math.fround(scale));
        expect(offset).toBe(0.5);
      });
    });

    it('are the stored ones where they are stored', () => {
      const moved = scales.map((scale) => Math.fround(scale * (1 + 2 ** -20)));
      const metadata = metadataOf({ ...grid, level_scales: moved, level_resolutions: resolutions });
      const { levels } = readGridShape(metadata, 2 * entries.reduce((sum, n) => sum + n));
      expect(levels.map(({ scale }) => scale)).toEqual(moved);
      expect(levels.map(({ isDense }) => isDense)).toEqual(dense);
    });
  },
);

function metadataOf(values: Record<string, unknown>): Metadata {
  const { nLevels, log2HashmapSize, baseResolution, perLevelScale, ...rest } = values;
  const named = {
    n_levels: nLevels,
    n_features_per_level: 2,
    log2_hashmap_size: log2HashmapSize,
    base_resolution: baseResolution,
    per_level_scale: perLevelScale,
    ...rest,
  };
  const entries = Object.entries(named).filter(([, value]) => value !== undefined);
  return new Metadata(new Map(entries.map(([key, value]) => [key, JSON.stringify(value)])));
}

describe('a scale within rounding of an integer', () => {
  // 16 * 1.5^2 - 1 = 35, but 1.5 has no exact logarithm.
  const grid = { nLevels: 3, baseResolution: 16, perLevelScale: 1.5, log2HashmapSize: 19 };
  const entries = (...resolutions: number[]): number =>
    resolutions.reduce((sum, n) => sum + Math.ceil(n ** 3 / 8) * 8, 0);

  it.each([[[16, 24, 36]], [[16, 24, 37]], [[16, 25, 36]], [[16, 25, 37]]])(
    'has the resolution that the number of parameters says: %j',
    (resolutions) => {
      const { levels } = readGridShape(metadataOf(grid), 2 * entries(...resolutions));
      expect(levels.map(({ resolution }) => resolution)).toEqual(resolutions);
    },
  );

  it('is refused where no choice fits', () => {
    expect(() => readGridShape(metadataOf(grid), 2 * entries(16, 24, 38))).toThrow(
      /enc.params has .* expected/,
    );
  });

  it('takes little time to settle with many such levels', () => {
    const many = { nLevels: 64, baseResolution: 8, perLevelScale: 1, log2HashmapSize: 19 };
    expect(() => readGridShape(metadataOf(many), 2 * (64 * 512 + 8))).toThrow(/expected/);
    const { levels } = readGridShape(metadataOf(many), 2 * (63 * 512 + 736));
    expect(levels.filter(({ resolution }) => resolution === 9)).toHaveLength(1);
  });
});

it('a grid that cannot be is refused', () => {
  const grid = { nLevels: 2, baseResolution: 2, perLevelScale: 2, log2HashmapSize: 8 };
  expect(() => deriveLevelShapes({ ...grid, perLevelScale: 0.5 })).toThrow(/perLevelScale is 0.5/);
  expect(() => deriveLevelShapes({ ...grid, baseResolution: 1 })).toThrow(/baseResolution is 1/);
  expect(() => deriveLevelShapes({ ...grid, log2HashmapSize: 1000 })).toThrow(/log2HashmapSize is 1000/);
  expect(() => readGridShape(metadataOf({ ...grid, perLevelScale: 1e9 }), 10)).toThrow(/perLevelScale/);
});
