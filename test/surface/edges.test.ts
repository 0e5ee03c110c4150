import { describe, expect, it } from 'vitest';
import { MAX_UNITS } from '../../src/partition/region-evaluate.ts';
import { RegionNetwork } from '../../src/partition/region-network.ts';
import { EdgeTable } from '../../src/surface/edges.ts';
import { VERTEX_EDGE, VertexTable } from '../../src/surface/mesh-tables.ts';
import { octahedronMlp, planeMlp, randomMlp } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';
import { boxAt, makeTable, REGION_FIELDS, randomBox } from '../partition/regions.ts';

const N_SAMPLES = 3000;

describe.each(REGION_FIELDS)('edges of $name', ({ make }) => {
  const asset = make();
  const { field, table } = makeTable(asset, 3);
  const vertices = new VertexTable();
  const edges = new EdgeTable(table, vertices, new RegionNetwork(field), false);
  const onZero = asset.encoding.kind === 'none' ? 1e-11 : 1e-6;

  /** f + isoOffset at equal steps from corner a to corner b. */
  function sampleEdge(a: number, b: number): Float64Array {
    const points = Float64Array.from({ length: (N_SAMPLES + 1) * 3 }, (_, i) => {
      const t = Math.floor(i / 3) / N_SAMPLES;
      return table.coordinate(a, i % 3) * (1 - t) + table.coordinate(b, i % 3) * t;
    });
    const f = new Float64Array(N_SAMPLES + 1);
    field.evaluate(points, f);
    return f.map((value) => value + table.isoOffset);
  }

  it('have a root wherever samples change sign, each on the zero set, ascending, of the right parity', () => {
    const random = seededRandom(81);
    let nRoots = 0;
    for (let i = 0; i < 20_000 && nRoots < 40; i++) {
      const box = randomBox(table, random, 1);
      const axis = i % 3;
      const [a, b] = [box.ids[0], box.ids[1 << axis]];
      const isLikely = Math.min(Math.abs(table.f(a)), Math.abs(table.f(b))) < 0.5 * box.size[axis];
      if (!isLikely && random() < 0.99) continue;
      const edge = edges.find(a, b);
      const from = edges.rootStart[edge];
      const roots = [...edges.rootT.subarray(from, from + edges.rootCount[edge])];
      nRoots += roots.length;
      expect(roots).toEqual([...roots].sort((s, t) => s - t));
      expect(roots.length % 2 === 1).toBe(table.f(a) >= 0 !== table.f(b) >= 0);
      const samples = sampleEdge(a, b);
      for (let k = 0; k < N_SAMPLES; k++) {
        if (samples[k] >= 0 === samples[k + 1] >= 0) continue;
        const [low, high] = [(k - 1e-3) / N_SAMPLES, (k + 1 + 1e-3) / N_SAMPLES];
        expect(roots.filter((t) => t >= low && t <= high).length % 2).toBe(1);
      }
      for (let r = 0; r < roots.length; r++) {
        const vertex = edges.rootVertex[from + r];
        const p = vertices.positions.slice(vertex * 3, vertex * 3 + 3);
        const f = new Float64Array(1);
        field.evaluate(p, f);
        expect(Math.abs(f[0] + table.isoOffset)).toBeLessThan(onZero);
        expect(vertices.kind[vertex]).toBe(VERTEX_EDGE);
        const at = box.min[axis] + roots[r] * box.size[axis];
        expect(p[axis]).toBeCloseTo(at, 12);
      }
    }
    expect(nRoots).toBeGreaterThanOrEqual(40);
  });
});

describe('EdgeTable', () => {
  const asset = randomMlp(82, [20, 20]);

  it('decides each edge once', () => {
    const { field, table } = makeTable(asset, 3);
    const vertices = new VertexTable();
    const edges = new EdgeTable(table, vertices, new RegionNetwork(field), false);
    const box = randomBox(table, seededRandom(83), 0);
    const pairs = [0, 2, 4, 6].map((c) => [box.ids[c], box.ids[c + 1]]);
    const first = pairs.map(([a, b]) => edges.find(a, b));
    const { nVertices } = vertices;
    expect(pairs.map(([a, b]) => edges.find(a, b))).toEqual(first);
    expect(new Set(first).size).toBe(4);
    expect(vertices.nVertices).toBe(nVertices);
  });

  it('gives an edge with a corner in its middle no roots of its own', () => {
    const { field, table } = makeTable(planeMlp([1, 0, 0], 0.1), 1);
    const side = 1 << table.lattice.subBits;
    const whole = boxAt(table, [0, 0, 0], [side, side, side]);
    const half = boxAt(table, [0, 0, 0], [side / 2, side, side]);
    const edges = new EdgeTable(table, new VertexTable(), new RegionNetwork(field), true);
    const edge = edges.find(whole.ids[0], whole.ids[1]);
    expect(edges.middle[edge]).toBe(half.ids[1]);
    expect(edges.rootCount[edge]).toBe(0);
    const upper = edges.find(half.ids[1], whole.ids[1]);
    expect(edges.rootCount[upper]).toBe(1);
    // x = 0.1 lies a tenth of the way from 0 to 1.
    expect(edges.rootT[edges.rootStart[upper]]).toBeCloseTo(0.1, 6);
  });

  it('skips what an error bound rules out, and nothing else', () => {
    const { field, table } = makeTable(octahedronMlp(0.7), 1);
    const side = 1 << table.lattice.subBits;
    const { ids } = boxAt(table, [0, 0, 0], [side, side, side]);
    const withBound = new EdgeTable(table, new VertexTable(), new RegionNetwork(field), false);
    // On this edge f = |x| + 1.3 > 0, and off its linear interpolant by at most 1.
    expect(withBound.rootCount[withBound.find(ids[0], ids[1], 1)]).toBe(0);
    const middle = boxAt(table, [0, side / 2, side / 2], [side, side, side]);
    const through = withBound.find(middle.ids[0], middle.ids[1], 1.01);
    expect(withBound.rootCount[through]).toBe(2);
  });

  it('finds all roots of an edge with many kinks', () => {
    // f = Σ ±relu(...) as a zigzag of x: relu slopes alternate at MAX_UNITS / 2 thresholds.
    const nTeeth = MAX_UNITS / 2 - 2;
    const zigzag = makeZigzag(nTeeth);
    const { field, table } = makeTable(zigzag, 1);
    const side = 1 << table.lattice.subBits;
    const { ids } = boxAt(table, [0, 0, 0], [side, side, side]);
    const edges = new EdgeTable(table, new VertexTable(), new RegionNetwork(field), false);
    expect(edges.rootCount[edges.find(ids[0], ids[1])]).toBe(nTeeth);
  });
});

/** f rises and falls between -h and h, h = half a tooth's width, `nTeeth` times along x. */
function makeZigzag(nTeeth: number): ReturnType<typeof planeMlp> {
  const width = 2 / nTeeth;
  const rows = Array.from({ length: nTeeth }, () => [1, 0, 0]);
  const thresholds = Array.from({ length: nTeeth }, (_, i) => -1 + i * width);
  const slopes = thresholds.map((_, i) => (i === 0 ? 1 : i % 2 === 0 ? 2 : -2));
  const weights = Float32Array.from(rows.flat());
  const bias = Float32Array.from(thresholds, (t) => -t);
  return {
    ...planeMlp(),
    layers: [
      { nIn: 3, nOut: nTeeth, weights, bias },
      { nIn: nTeeth, nOut: 1, weights: Float32Array.from(slopes), bias: Float32Array.of(-width / 2) },
    ],
  };
}
