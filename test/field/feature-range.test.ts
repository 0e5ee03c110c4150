import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { entryIndex, rowEntries } from '../../src/field/hash-grid.ts';
import { buildPyramid } from '../../src/field/pyramid.ts';
import type { FieldAsset, HashGridEncoding, Vec3 } from '../../src/format/asset.ts';
import { OBLONG_DOMAIN, randomField, randomMlp, sphereField, UNIT_DOMAIN } from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { encode, entryIndex as referenceIndex } from '../fixtures/reference-field.ts';
import { runSteps } from '../partition/run-steps.ts';

const gridOf = (asset: FieldAsset): HashGridEncoding => {
  if (asset.encoding.kind !== 'hash-grid') throw new Error('expected a grid');
  return asset.encoding;
};

const CASES: readonly { name: string; asset: FieldAsset }[] = [
  { name: 'dense', asset: randomField(91, { T: 19, finest: 24 }) },
  { name: 'hashed, oblong', asset: randomField(92, { L: 5, T: 6, F: 3, finest: 60, domain: OBLONG_DOMAIN }) },
  { name: 'too fine for a pyramid', asset: randomField(93, { L: 3, T: 9, finest: 600 }) },
];

describe.each(CASES)('$name', ({ asset }) => {
  const field = createCpuField(asset);
  const { levels, nFeaturesPerLevel: F } = gridOf(asset);
  const lo = new Float64Array(levels.length * F);
  const hi = new Float64Array(levels.length * F);
  const isTrilinear = new Uint8Array(levels.length);
  const { min, max } = asset.domain;

  it('contains the features, and reaches them', () => {
    const random = seededRandom(94);
    let [widths, spreads, nOutside] = [0, 0, 0];
    for (let b = 0; b < 150; b++) {
      const size = 2 ** -between(random, 0, 12);
      const from = min.map((m, k) => between(random, m, max[k]));
      const to = from.map((c, k) => Math.min(max[k], c + size * (max[k] - min[k])));
      field.featureRange(from, to, lo, hi, isTrilinear);
      const seenLo = lo.map(() => Number.POSITIVE_INFINITY);
      const seenHi = lo.map(() => Number.NEGATIVE_INFINITY);
      for (let s = 0; s < 100; s++) {
        const p = from.map((c, k) => (s < 8 ? ((s >> k) & 1 ? to[k] : c) : between(random, c, to[k])));
        encode(asset, [p[0], p[1], p[2]]).forEach((feature, i) => {
          if (!(feature >= lo[i] - 1e-12 && feature <= hi[i] + 1e-12)) nOutside++;
          seenLo[i] = Math.min(seenLo[i], feature);
          seenHi[i] = Math.max(seenHi[i], feature);
        });
      }
      for (let i = 0; i < lo.length; i++) {
        if (!isTrilinear[Math.floor(i / F)]) continue;
        widths += hi[i] - lo[i];
        spreads += seenHi[i] - seenLo[i];
      }
    }
    expect(nOutside).toBe(0);
    expect(widths).toBeLessThan(spreads * (1 + 1e-9));
  });
});

describe('trilinear boxes', () => {
  // Scales n + 1/4: no two levels have planes so close that they are one mark.
  it.each([UNIT_DOMAIN, OBLONG_DOMAIN])('are those between marks, in %o', (domain) => {
    const asset = sphereField({ domain, cells: [4, 7, 16] });
    const field = createCpuField(asset);
    const marks = ([0, 1, 2] as const).map((axis) => field.marks(axis));
    const [lo, hi, isTrilinear] = [new Float64Array(3), new Float64Array(3), new Uint8Array(3)];
    const random = seededRandom(95);
    for (let b = 0; b < 300; b++) {
      const first = marks.map((m) => Math.floor(random() * (m.length - 2)));
      const last = first.map((i) => i + 1);
      const corner = (index: readonly number[]) => index.map((i, k) => marks[k][i]);
      field.featureRange(corner(first), corner(last), lo, hi, isTrilinear);
      expect([...isTrilinear]).toEqual([1, 1, 1]);
      // Each inner mark is a plane of one level.
      last[b % 3]++;
      field.featureRange(corner(first), corner(last), lo, hi, isTrilinear);
      expect([...isTrilinear].sort()).toEqual([0, 1, 1]);
    }
  });
});

describe('without a grid', () => {
  it('has nothing to write', () => {
    const untouched = Float64Array.of(5);
    createCpuField(randomMlp(96)).featureRange([0, 0, 0], [1, 1, 1], untouched, untouched, new Uint8Array(0));
    expect([...untouched]).toEqual([5]);
  });
});

describe('index rule', () => {
  it.each(CASES)('of $name is the reference rule, one by one and by rows', ({ asset }) => {
    const random = seededRandom(97);
    for (const level of gridOf(asset).levels) {
      const row = new Float64Array(level.resolution + 1);
      for (let s = 0; s < 50; s++) {
        const [y, z] = [0, 1].map(() => Math.floor(random() * (level.resolution + 1)));
        rowEntries(level, y, z, row);
        row.forEach((entry, x) => {
          expect(entry).toBe(referenceIndex(level, x, y, z));
          if (s < 3) expect(entryIndex(level, x, y, z)).toBe(entry);
        });
      }
    }
  });
});

describe('MinMaxPyramid', () => {
  it.each(CASES)('of $name contains the vertices of any range', ({ asset }) => {
    const random = seededRandom(98);
    for (const level of gridOf(asset).levels) {
      const F = gridOf(asset).nFeaturesPerLevel;
      const pyramid = runSteps(buildPyramid(level, F));
      const side = Math.floor(level.scale + level.offset) + 2;
      for (let s = 0; s < 40; s++) {
        const first = Int32Array.from({ length: 3 }, () => Math.floor(random() * side));
        const last = first.map((v) => Math.min(side - 1, v + Math.floor(random() ** 2 * side)));
        const lo = new Float64Array(F);
        const hi = new Float64Array(F);
        pyramid.range(first, last, lo, hi, 0);
        for (let v = 0; v < 60; v++) {
          const at = first.map((f, k) => f + Math.floor(random() * (last[k] - f + 1)));
          const vertex: Vec3 = [at[0], at[1], at[2]];
          const entry = referenceIndex(level, ...vertex) * F;
          for (let k = 0; k < F; k++) {
            expect(level.params[entry + k]).toBeGreaterThanOrEqual(lo[k]);
            expect(level.params[entry + k]).toBeLessThanOrEqual(hi[k]);
          }
        }
      }
    }
  });

  it('follows small ranges closely', () => {
    const asset = randomField(99, { L: 1, T: 21, base: 100, finest: 100, F: 1 });
    const [level] = gridOf(asset).levels;
    level.params.forEach((_, i) => {
      level.params[i] = i % level.resolution;
    });
    const pyramid = runSteps(buildPyramid(level, 1));
    const [lo, hi] = [new Float64Array(1), new Float64Array(1)];
    pyramid.range(Int32Array.of(20, 3, 3), Int32Array.of(40, 50, 60), lo, hi, 0);
    // Features equal x; the query may read blocks that stick out by less than their size, 16.
    expect(lo[0]).toBeGreaterThan(4);
    expect(lo[0]).toBeLessThanOrEqual(20);
    expect(hi[0]).toBeGreaterThanOrEqual(40);
    expect(hi[0]).toBeLessThan(56);
  });
});
