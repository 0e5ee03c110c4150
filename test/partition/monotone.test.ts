import { describe, expect, it } from 'vitest';
import { MonotoneTest } from '../../src/partition/monotone.ts';
import { RegionNetwork } from '../../src/partition/region-network.ts';
import { octahedronMlp, planeMlp, sphereField } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';
import { boxAt, makeTable, pointsIn, REGION_FIELDS, randomBox } from './regions.ts';

const N_POINTS = 60;

describe.each(REGION_FIELDS)('directions found for $name', ({ make }) => {
  const { field, table } = makeTable(make());
  const net = new RegionNetwork(field);
  const test = new MonotoneTest();

  /** Least d·∇f at random points, relative to the gradients' size. */
  function leastSlope(local: Float64Array, direction: readonly number[]): number {
    const gradients = new Float64Array(local.length);
    field.evaluateWithGradient(local, new Float64Array(local.length / 3), gradients);
    let least = 0;
    let size = 0;
    for (let i = 0; i < local.length; i += 3) {
      const slope = [0, 1, 2].reduce((sum, k) => sum + gradients[i + k] * direction[k], 0);
      least = Math.min(least, slope);
      size = Math.max(size, Math.hypot(gradients[i], gradients[i + 1], gradients[i + 2]));
    }
    return least / (size || 1);
  }

  it('are unit vectors along which f never falls in the box', () => {
    const random = seededRandom(61);
    let nFound = 0;
    for (let b = 0; b < 150; b++) {
      const box = randomBox(table, random);
      net.build(table, box.ids, 8);
      if (!test.find(net, box.size)) continue;
      nFound++;
      const direction = [...test.direction];
      expect(Math.hypot(...direction)).toBeCloseTo(1, 12);
      expect(leastSlope(pointsIn(box, random, N_POINTS).local, direction)).toBeGreaterThan(-1e-6);
      // What is found is accepted, too.
      expect(test.accepts(net, box.size, direction)).toBe(true);
    }
    expect(nFound).toBeGreaterThan(30);
  });

  it('hold on the faces that they are said to hold on', () => {
    const random = seededRandom(62);
    let nHeld = 0;
    for (let b = 0; b < 100; b++) {
      const box = randomBox(table, random);
      net.build(table, box.ids, 8);
      if (!test.find(net, box.size)) continue;
      const before = [...test.direction];
      for (let axis = 0; axis < 3; axis++) {
        if (!test.holdsAcross(net, axis)) continue;
        nHeld++;
        const across = before.map((d, k) => (k === axis ? 0 : d));
        expect(leastSlope(pointsIn(box, random, N_POINTS).local, across)).toBeGreaterThan(-1e-6);
      }
      expect([...test.direction]).toEqual(before);
    }
    expect(nHeld).toBeGreaterThan(10);
  });

  it('are refused where f falls', () => {
    const random = seededRandom(63);
    for (let b = 0; b < 50; b++) {
      const box = randomBox(table, random);
      net.build(table, box.ids, 8);
      const { local } = pointsIn(box, random, N_POINTS);
      const direction = [random() - 0.5, random() - 0.5, random() - 0.5];
      const length = Math.hypot(...direction);
      const unit = direction.map((d) => d / length);
      if (leastSlope(local, unit) < -1e-3) expect(test.accepts(net, box.size, unit)).toBe(false);
    }
  });
});

describe('MonotoneTest', () => {
  it('finds no direction where a closed surface lies inside', () => {
    const test = new MonotoneTest();
    const { field, table } = makeTable(octahedronMlp(0.7), 1);
    const net = new RegionNetwork(field);
    const side = 1 << table.lattice.subBits;
    const box = boxAt(table, [0, 0, 0], [side, side, side]);
    net.build(table, box.ids, 8);
    expect(test.find(net, box.size)).toBe(false);
    expect(Math.min(...test.variation)).toBeGreaterThan(0);
  });

  it('finds one in every box of one octant, where the faces all look one way', () => {
    const { field, table } = makeTable(octahedronMlp(0.7), 2);
    const net = new RegionNetwork(field);
    const test = new MonotoneTest();
    const side = 1 << table.lattice.subBits;
    const box = boxAt(table, [side, side, side], [2 * side, 2 * side, 2 * side]);
    net.build(table, box.ids, 8);
    expect(test.find(net, box.size)).toBe(true);
    for (const d of test.direction) expect(d).toBeCloseTo(1 / Math.sqrt(3), 6);
  });

  it('finds the normal of a plane', () => {
    const { field, table } = makeTable(planeMlp([0.36, 0.48, 0.8]), 1);
    const net = new RegionNetwork(field);
    const test = new MonotoneTest();
    const box = randomBox(table, () => 0, 0);
    net.build(table, box.ids, 8);
    expect(test.find(net, box.size)).toBe(true);
    expect([...test.direction].reduce((sum, d, k) => sum + d * [0.36, 0.48, 0.8][k], 0)).toBeGreaterThan(0);
  });

  it('finds the axis of a sphere over its pole', () => {
    const { field, table } = makeTable(sphereField({ cells: [8], center: [0, 0, 0], thresholds: [0] }));
    const net = new RegionNetwork(field);
    const test = new MonotoneTest();
    const at = (plane: number) => plane << table.lattice.subBits;
    const box = boxAt(table, [at(3), at(3), at(5)], [at(6), at(6), at(6)]);
    net.build(table, box.ids, 8);
    expect(test.find(net, box.size)).toBe(true);
    expect(test.direction[2]).toBeGreaterThan(0.9);
  });
});
