import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { NO_STOPS } from '../../src/pipeline/figures.ts';
import { latticeSpacing } from '../../src/pipeline/lattice-rule.ts';
import { frameOf } from '../../src/pipeline/plan.ts';
import type { JobOptions } from '../../src/pipeline/steps.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { marchLattice } from '../../src/surface/lattice-level.ts';
import type { SlicedField } from '../../src/surface/sparse-lattice.ts';
import { emptyField, multiField, octahedronMlp, sphereField } from '../fixtures/fields.ts';
import { analyticField, ball, CUBE } from './analytic-fields.ts';
import { derive } from './derive.ts';
import { judgeMesh } from './judge-mesh.ts';
import { seededCase } from './seeded-fields.ts';

/**
 * The check has samples of its own, and its distances are upper bounds, which random directions shorten: a blob's worst is 0.022, 0.024 or
 * 0.030 from run to run.
 */
const SLACK = 1.15;

/** A closed form with what a `CpuField` has; counts the points that it is asked. */
function countingField(f: (x: number, y: number, z: number) => number): SlicedField & { n: number } {
  const { evaluate, ...rest } = analyticField(f);
  const field = {
    ...rest,
    n: 0,
    pointsPerSlice: (most: number) => most,
    evaluate: (points: Float64Array, out: Float64Array, n = points.length / 3): void => {
      field.n += n;
      evaluate(points, out, n);
    },
  };
  return field;
}

function run<T>(steps: Generator<unknown, T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

/** Points along each axis of the triangles' vertices, and how many sides have no partner. */
function sizeOf({ positions, indices, nVertices }: ReturnType<typeof march>) {
  const sides = new Set<string>();
  for (let c = 0; c < indices.length; c++) {
    const next = c - (c % 3) + ((c + 1) % 3);
    sides.add(`${indices[c]},${indices[next]}`);
  }
  const open = [...sides].filter((side) => !sides.has(side.split(',').reverse().join()));
  const zs = [...positions].filter((_, i) => i % 3 === 2);
  return { nVertices, nOpen: open.length, low: Math.min(...zs), high: Math.max(...zs) };
}

const march = (field: SlicedField, n: number) => run(marchLattice(field, CUBE, 2 / n));

describe('a lattice level', () => {
  it.each([9, 45, 57, 81, 115])(
    'of seeded field %d: closed but on the faces, manifold, inside, apart, on the zero set, in a region too',
    async (seed) => {
      const { name, asset, options } = seededCase(seed);
      const region = options.region && { region: options.region };
      for (const detail of [{ preview: 9 + (seed % 5) }, { resolution: 2 }]) {
        const asked: JobOptions = { ...detail, ...region };
        expect(latticeSpacing(asset, asked)).toBeGreaterThan(0);
        const { mesh, stats } = await derive(asset, asked);
        expect(stats).toMatchObject({ method: 'lattice', isComplete: false });
        expect(judgeMesh(mesh, createCpuField(asset), frameOf(asset, asked).bounds), name).toEqual([]);
      }
    },
  );

  const told: readonly (readonly [string, FieldAsset, JobOptions])[] = [
    ['a ball', sphereField(), { resolution: 4 }],
    ['an octahedron', octahedronMlp(0.57), { resolution: 5 }],
    ['five balls, one of which is smaller than a box', multiField({ cells: [10] }), { preview: 7 }],
    ['a blob', seededCase(14).asset, { resolution: 6 }],
    ['a grid', seededCase(57).asset, { resolution: 3 }],
  ];
  it.each(told)('tells how far it is off, both ways: %s', async (_name, asset, options) => {
    const { mesh, stats } = await derive(asset, options);
    const field = createCpuField(asset);
    const report = await checkMesh(mesh, { field, domain: asset.domain, samples: 3000, seed: 77 });
    const { errorLocal = 0, errorBackLocal = 0, toleranceLocal } = stats;
    expect(report.meshToZeroSet?.max).toBeLessThanOrEqual(SLACK * errorLocal);
    expect(report.zeroSetToMesh?.max).toBeLessThanOrEqual(SLACK * errorBackLocal);
    // And is not off by much more than it is.
    const least = 1e-3 * toleranceLocal;
    expect(errorLocal).toBeLessThan(least + 2 * (report.meshToZeroSet?.max ?? 0));
    expect(errorBackLocal).toBeLessThan(least + 2 * (report.zeroSetToMesh?.max ?? 0));
    expect(stats.isWithinTolerance).toBe(Math.max(errorLocal, errorBackLocal) <= toleranceLocal);
    // Numbers only: records keep them.
    expect(Object.keys(stats.stops)).toEqual(Object.keys(NO_STOPS));
  });

  it('of nothing is empty; one that misses all there is says so', async () => {
    const nothing = await derive(emptyField(), { preview: 8 });
    expect(nothing).toMatchObject({ isEmpty: true, stats: { errorLocal: 0, errorBackLocal: 0 } });
    const speck = sphereField({ cells: [16], radius: 0.12, center: [0.62, 0.13, 0.37] });
    const { isEmpty, stats } = await derive(speck, { preview: 2 });
    expect(isEmpty).toBe(true);
    expect(stats).toMatchObject({ errorBackLocal: Number.POSITIVE_INFINITY, isWithinTolerance: false });
  });

  it('that finds nothing is derived: the surface may be smaller than its boxes', async () => {
    const speck = sphereField({ cells: [16], radius: 0.12, center: [0.62, 0.13, 0.37] });
    const { isEmpty, stats } = await derive(speck, { resolution: 0.5 });
    expect(isEmpty).toBe(false);
    expect(stats).toMatchObject({ method: 'derived', isComplete: true });
    const nothing = await derive(emptyField(), { resolution: 0.5 });
    expect(nothing).toMatchObject({ isEmpty: true, stats: { method: 'derived', isComplete: true } });
  });

  it('gives the same bytes each time', async () => {
    const [first, second] = [
      await derive(multiField(), { resolution: 4 }),
      await derive(multiField(), { resolution: 4 }),
    ];
    expect(second.mesh).toEqual(first.mesh);
  });
});

describe('the cost of a lattice level', () => {
  it('grows as the surface does, not as the volume', () => {
    const asked = [64, 128].map((n) => {
      const field = countingField(ball(0.71, [0.03, 0.01, -0.02]));
      const { nVertices } = march(field, n);
      return { nVertices, n: field.n };
    });
    expect(asked[1].nVertices / asked[0].nVertices).toBeCloseTo(4, 0);
    expect(asked[1].n / asked[0].n).toBeLessThan(4.4);
    expect(asked[1].n).toBeLessThan(129 ** 3 / 4);
  });

  it('does not depend on how fine the field is', () => {
    const counts = [[8], [8, 60]].map((cells) => {
      const inner = createCpuField(sphereField({ cells }));
      let n = 0;
      const evaluate: typeof inner.evaluate = (points, out, count = points.length / 3) => {
        n += count;
        inner.evaluate(points, out, count);
      };
      march({ ...inner, evaluate }, 48);
      return n;
    });
    expect(counts[1]).toBeLessThan(1.3 * counts[0]);
  });

  it('decides between lattice and derivation by the boxes alone', () => {
    const asset = sphereField({ cells: [24] });
    // Four boxes for each of `resolution`, against two and a half of the field's own.
    expect(latticeSpacing(asset, { resolution: 14 })).toBeCloseTo(2 / 56, 12);
    expect(latticeSpacing(asset, { resolution: 16 })).toBeUndefined();
    expect(latticeSpacing(sphereField({ cells: [48] }), { resolution: 16 })).toBeCloseTo(2 / 64, 12);
    expect(latticeSpacing(asset, { resolution: 14, structure: true })).toBeUndefined();
    expect(latticeSpacing(asset, { tolerance: 0.1 })).toBeUndefined();
    expect(latticeSpacing(asset, { preview: 100 })).toBeCloseTo(2 / 100, 12);
  });
});

describe('a second look into boxes whose corners agree', () => {
  /** A plate across z, thinner than a box, between two planes of a lattice of 16. */
  const plate = (x: number, y: number, z: number) =>
    Math.max(Math.abs(z - 0.0625) - 0.02, Math.abs(x) - 0.52, Math.abs(y) - 0.47);

  it('finds a plate that no corner is in, closed, on both sides', () => {
    const { nVertices, nOpen, low, high } = sizeOf(march(countingField(plate), 16));
    expect(nVertices).toBeGreaterThan(100);
    expect(nOpen).toBe(0);
    expect(low).toBeCloseTo(0.0425, 6);
    expect(high).toBeCloseTo(0.0825, 6);
  });
});
