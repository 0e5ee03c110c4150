import { describe, expect, it } from 'vitest';
import { evaluateRegion, MAX_UNITS } from '../../src/partition/region-evaluate.ts';
import { RegionNetwork } from '../../src/partition/region-network.ts';
import { octahedronMlp, randomMlp } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';
import { makeTable, pointsIn, REGION_FIELDS, randomBox } from './regions.ts';

const N_BOXES = 60;
const N_POINTS = 40;
/** Relative to the values' size. Planes of levels closer than 2e-6 are one mark, which grids' features feel. */
const GRID_ERROR = 1e-6;
const AFFINE_ERROR = 1e-12;

describe.each(REGION_FIELDS)('the reduced network of $name', ({ make }) => {
  const asset = make();
  const error = asset.encoding.kind === 'none' ? AFFINE_ERROR : GRID_ERROR;
  const { field, table } = makeTable(asset);
  const net = new RegionNetwork(field);
  const stride = field.nPreActivations + 1;

  it('equals the whole one at random points of random boxes, its units too', () => {
    const random = seededRandom(51);
    const units = new Float64Array(MAX_UNITS);
    let worst = 0;
    let most = 0;
    for (let b = 0; b < N_BOXES; b++) {
      const box = randomBox(table, random);
      net.build(table, box.ids, 8);
      most = Math.max(most, net.nUnits);
      expect(net.isOverflow).toBe(false);
      const { local, unit } = pointsIn(box, random, N_POINTS);
      const values = new Float64Array(N_POINTS * stride);
      field.preActivations(local, values);
      for (let i = 0; i < N_POINTS; i++) {
        const f = evaluateRegion(net, unit.subarray(i * 3, i * 3 + 3), undefined, units);
        worst = Math.max(worst, Math.abs(f - values[(i + 1) * stride - 1] - table.isoOffset));
        for (let u = 0; u < net.nUnits; u++) {
          worst = Math.max(worst, Math.abs(units[u] - values[i * stride + net.unitNeuron[u]]));
        }
      }
    }
    expect(worst).toBeLessThan(error);
    if (field.nPreActivations > 0) expect(most).toBeGreaterThan(0);
  });

  it('has the gradient of the whole one', () => {
    const random = seededRandom(52);
    const gradient = new Float64Array(3);
    let nOff = 0;
    for (let b = 0; b < N_BOXES; b++) {
      const box = randomBox(table, random);
      net.build(table, box.ids, 8);
      const { local, unit } = pointsIn(box, random, 10);
      const expected = new Float64Array(30);
      field.evaluateWithGradient(local, new Float64Array(10), expected);
      for (let i = 0; i < 10; i++) {
        net.evaluate(unit.subarray(i * 3, i * 3 + 3), gradient);
        const off = [0, 1, 2].map((k) => Math.abs(gradient[k] / box.size[k] - expected[i * 3 + k]));
        if (Math.max(...off) > Math.max(1e-10, error / Math.min(...box.size))) nOff++;
      }
    }
    // A point within rounding of a crease may fall on either side.
    expect(nOff).toBeLessThanOrEqual(1);
  });

  it.each([2, 4] as const)('equals the whole one on regions of %i corners', (nCorners) => {
    const random = seededRandom(53);
    let worst = 0;
    for (let b = 0; b < N_BOXES; b++) {
      const box = randomBox(table, random);
      const axis = Math.floor(random() * 3);
      const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
      const at = nCorners === 2 ? [0, 1 << u] : [0, 1 << u, 1 << v, (1 << u) | (1 << v)];
      net.build(
        table,
        at.map((c) => box.ids[c]),
        nCorners,
      );
      for (let i = 0; i < 10; i++) {
        const t = [random(), nCorners === 4 ? random() : 0];
        const point = Float64Array.from(box.min);
        point[u] += t[0] * box.size[u];
        point[v] += t[1] * box.size[v];
        const f = new Float64Array(1);
        field.evaluate(point, f);
        worst = Math.max(worst, Math.abs(net.evaluate(t) - f[0] - table.isoOffset));
        if (f[0] + table.isoOffset < net.lo - error || f[0] + table.isoOffset > net.hi + error) worst = 1;
      }
    }
    expect(worst).toBeLessThan(error);
  });

  it('encloses f', () => {
    const random = seededRandom(54);
    let nOutside = 0;
    let nTight = 0;
    for (let b = 0; b < 4 * N_BOXES; b++) {
      const box = randomBox(table, random, 2);
      net.build(table, box.ids, 8);
      const { local } = pointsIn(box, random, N_POINTS);
      const f = new Float64Array(N_POINTS);
      field.evaluate(local, f);
      const slack = error * (1 + Math.abs(net.hi - net.lo));
      for (const value of f) {
        if (!(value + table.isoOffset >= net.lo - slack && value + table.isoOffset <= net.hi + slack))
          nOutside++;
      }
      if (net.lo > 0 || net.hi < 0) nTight++;
    }
    expect(nOutside).toBe(0);
    expect(nTight).toBeGreaterThan(0);
  });
});

describe('RegionNetwork', () => {
  it('joins units that fold together, and names them', () => {
    const { field, table } = makeTable(octahedronMlp(), 1);
    const net = new RegionNetwork(field);
    const box = randomBox(table, () => 0, 0);
    net.build(table, box.ids, 8);
    expect([...net.unitNeuron.subarray(0, net.nUnits)]).toEqual([0, 2, 4]);
    expect(net.twinNeurons).toEqual([1, 3, 5]);
    // |x| + |y| + |z| - 0.7 reaches 2.3 in the corners, which no bound can be below.
    expect(net.hi).toBeCloseTo(2.3, 6);
    net.build(table, box.ids, 2);
    expect(net.twinNeurons).toEqual([1]);
  });

  it('says when there are more units than it can hold, and encloses everything then', () => {
    const { field, table } = makeTable(randomMlp(55, [MAX_UNITS + 40]), 1);
    const net = new RegionNetwork(field);
    net.build(table, randomBox(table, () => 0, 0).ids, 8);
    expect(net.isOverflow).toBe(true);
    expect(net.lo).toBe(Number.NEGATIVE_INFINITY);
    expect(net.hi).toBe(Number.POSITIVE_INFINITY);
  });
});
