import { describe, expect, it } from 'vitest';
import type { Box3, FieldAsset } from '../../src/format/asset.ts';
import type { CornerTable } from '../../src/partition/corners.ts';
import { cullBoxes } from '../../src/partition/cull.ts';
import { Forest } from '../../src/partition/forest.ts';
import { RegionNetwork } from '../../src/partition/region-network.ts';
import { Settler } from '../../src/partition/settle.ts';
import { DetailMap } from '../../src/surface/detail-map.ts';
import { EdgeTable } from '../../src/surface/edges.ts';
import { type CurveShape, FaceTable } from '../../src/surface/faces.ts';
import { VertexTable } from '../../src/surface/mesh-tables.ts';
import { buildRects, type RectTable } from '../../src/surface/rects.ts';
import {
  blobMlp,
  boxMlp,
  multiField,
  randomField,
  randomMlp,
  slabField,
  sphereField,
} from '../fixtures/fields.ts';
import { makeTable } from '../partition/regions.ts';
import { runSteps } from '../partition/run-steps.ts';
import { marchFace } from './march-face.ts';

/** Cells an axis of the oracle's sampling. */
const N = 48;
const UNIT: Box3 = { min: [0, 0, 0], max: [1, 1, 1] };
const EXACT: CurveShape = { share: 1, detail: DetailMap.uniform(0, UNIT), keepsKinks: true };

const CASES: readonly { readonly name: string; readonly make: () => FieldAsset; readonly nBoxes?: number }[] =
  [
    { name: 'sphere', make: () => sphereField({ cells: [4, 8] }) },
    { name: 'multi', make: () => multiField({ cells: [8] }) },
    { name: 'slab', make: () => slabField({ cells: [8] }) },
    { name: 'random', make: () => randomField(31, { finest: 6 }) },
    { name: 'random hashed', make: () => randomField(92, { T: 6, L: 2, finest: 8 }) },
    { name: 'random, no hidden layer', make: () => randomField(93, { layers: [], finest: 8 }) },
    { name: 'box mlp', make: () => boxMlp(), nBoxes: 7 },
    { name: 'blob mlp', make: () => blobMlp(94), nBoxes: 6 },
    { name: 'random mlp', make: () => randomMlp(95, [16, 16]), nBoxes: 4 },
  ];

interface Faces {
  readonly table: CornerTable;
  readonly rects: RectTable;
  readonly faces: FaceTable;
  readonly vertices: VertexTable;
}

function traceFaces(asset: FieldAsset, nBoxes: number, shape: CurveShape): Faces {
  const { field, table } = makeTable(asset, nBoxes);
  const { boxes } = runSteps(cullBoxes(field, table.lattice, table));
  const forest = new Forest(table.lattice, boxes);
  runSteps(new Settler(table, forest).run());
  const { rects } = runSteps(buildRects(forest, table));
  const vertices = new VertexTable();
  const net = new RegionNetwork(field);
  const edges = new EdgeTable(table, vertices, net, forest.nNodes > forest.nRoots);
  const faces = new FaceTable(table, forest, rects, edges, vertices, net, shape);
  for (let rect = 0; rect < rects.nRects; rect++) faces.decide(rect);
  return { table, rects, faces, vertices };
}

/** A rectangle as a map from [0, 1]² to local space, and f + isoOffset on it. */
function viewRect({ table, rects, vertices }: Faces, rect: number) {
  const axis = rects.axis[rect];
  const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
  const [c00, c11] = [rects.corners[rect * 4], rects.corners[rect * 4 + 3]];
  const min = [0, 1, 2].map((k) => table.coordinate(c00, k));
  const size = [u, v].map((k) => table.coordinate(c11, k) - min[k]);
  const evaluate = (flat: readonly number[]): Float64Array => {
    const points = new Float64Array((flat.length / 2) * 3);
    for (let i = 0; i * 2 < flat.length; i++) {
      points[i * 3 + axis] = min[axis];
      points[i * 3 + u] = min[u] + flat[i * 2] * size[0];
      points[i * 3 + v] = min[v] + flat[i * 2 + 1] * size[1];
    }
    const f = new Float64Array(flat.length / 2);
    table.field.evaluate(points, f);
    return f.map((value) => value + table.isoOffset);
  };
  const place = (id: number): [number, number] => [
    (vertices.positions[id * 3 + u] - min[u]) / size[0],
    (vertices.positions[id * 3 + v] - min[v]) / size[1],
  ];
  return { size, evaluate, place };
}

const lattice = Array.from({ length: (N + 1) ** 2 }, (_, i) => [
  (i % (N + 1)) / N,
  Math.floor(i / (N + 1)) / N,
]).flat();

const curvesOf = ({ faces }: Faces, rect: number): number[][] => {
  const curves: number[][] = [];
  for (let c = faces.curveStart[rect]; c < faces.curveStart[rect + 1]; c++) {
    curves.push([...faces.chain.subarray(faces.chainStart[c], faces.chainStart[c + 1])]);
  }
  return curves;
};

/** Rectangles with curves, thinned out to about a hundred. */
function rectsWithCurves({ faces, rects }: Faces): number[] {
  const all = Array.from({ length: rects.nRects }, (_, r) => r).filter(
    (r) => faces.curveStart[r + 1] > faces.curveStart[r] && faces.isAstray[r] === 0,
  );
  return all.filter((_, i) => i % Math.ceil(all.length / 100) === 0);
}

const distance = (a: readonly number[], b: readonly number[]): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** Distance of a point from a chain of points. */
function distanceToChain(p: readonly number[], chain: readonly (readonly number[])[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k + 1 < chain.length; k++) {
    const [a, b] = [chain[k], chain[k + 1]];
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    const t = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy || 1);
    const s = Math.min(1, Math.max(0, t));
    least = Math.min(least, distance(p, [a[0] + s * dx, a[1] + s * dy]));
  }
  return least;
}

describe.each(CASES)('curves on the faces of $name', ({ make, nBoxes = 4 }) => {
  const asset = make();
  const exact = traceFaces(asset, nBoxes, EXACT);
  const onZero = asset.encoding.kind === 'none' ? 1e-10 : 1e-6;

  it('lie on the zero set at every vertex, kinks on the creases of their neurons', () => {
    const { faces, vertices, table } = exact;
    const ids = [...faces.chain.subarray(0, faces.chainStart[faces.nCurves])];
    const points = Float64Array.from(
      ids.flatMap((id) => [...vertices.positions.subarray(id * 3, id * 3 + 3)]),
    );
    const values = new Float64Array(ids.length * table.stride);
    table.field.preActivations(points, values);
    let worst = 0;
    ids.forEach((id, i) => {
      worst = Math.max(worst, Math.abs(values[(i + 1) * table.stride - 1] + table.isoOffset));
      const neuron = vertices.neuron[id];
      if (neuron >= 0) worst = Math.max(worst, Math.abs(values[i * table.stride + neuron]));
    });
    expect(ids.length).toBeGreaterThan(100);
    expect(worst).toBeLessThan(onZero);
  });

  it('join the roots that marching on a fine sampling joins', () => {
    let nCompared = 0;
    const differing: number[] = [];
    for (const rect of rectsWithCurves(exact)) {
      const view = viewRect(exact, rect);
      const contours = marchFace(view.evaluate(lattice), N, (x, y) => view.evaluate([x, y])[0]);
      const curves = curvesOf(exact, rect).map((chain) => [
        view.place(chain[0]),
        view.place(chain.at(-1) as number),
      ]);
      // The sampling does not resolve everything: where it sees other ends it is no oracle.
      if (contours.some(({ isClosed }) => isClosed) || contours.length !== curves.length) continue;
      nCompared++;
      const isSame = (ends: readonly (readonly number[])[]): boolean =>
        contours.some(({ points }) => {
          const [a, b] = [points[0], points[points.length - 1]];
          const forward = Math.max(distance(a, ends[0]), distance(b, ends[1]));
          const backward = Math.max(distance(a, ends[1]), distance(b, ends[0]));
          return Math.min(forward, backward) < 1 / N;
        });
      if (!curves.every(isSame)) differing.push(rect);
    }
    expect(differing).toEqual([]);
    expect(nCompared).toBeGreaterThan(0.9 * rectsWithCurves(exact).length);
  });

  it('have f > 0 on their left', () => {
    let nWrong = 0;
    for (const rect of rectsWithCurves(exact)) {
      const view = viewRect(exact, rect);
      for (const chain of curvesOf(exact, rect)) {
        const [x, y] = view.place(chain[0]);
        // Around the rectangle, counter-clockwise, f falls where a curve starts.
        const [dx, dy] = y < 1e-9 ? [1, 0] : x > 1 - 1e-9 ? [0, 1] : y > 1 - 1e-9 ? [-1, 0] : [0, -1];
        const h = 1e-6;
        const [before, after] = view.evaluate([x - h * dx, y - h * dy, x + h * dx, y + h * dy]);
        if (before < after) nWrong++;
      }
    }
    expect(nWrong).toBe(0);
  });

  it('stay within the tolerance of the curve', () => {
    const tolerance = 2e-3;
    const coarse = traceFaces(asset, nBoxes, {
      share: 1,
      detail: DetailMap.uniform(tolerance, UNIT),
      keepsKinks: false,
    });
    let worst = 0;
    for (const rect of rectsWithCurves(coarse)) {
      const view = viewRect(coarse, rect);
      const contours = marchFace(view.evaluate(lattice), N, (x, y) => view.evaluate([x, y])[0]);
      const chains = curvesOf(coarse, rect).map((chain) =>
        chain.map((id) => view.place(id).map((t, k) => t * view.size[k])),
      );
      if (contours.length !== chains.length) continue;
      // Linear interpolation in a cell of the sampling is off by less than this.
      const slack = (0.02 * Math.max(view.size[0], view.size[1])) / N;
      for (const { points } of contours) {
        for (const [x, y] of points) {
          const p = [x * view.size[0], y * view.size[1]];
          worst = Math.max(worst, Math.min(...chains.map((chain) => distanceToChain(p, chain))) - slack);
        }
      }
    }
    // A quarter more: the chain is chosen among samples of the curve.
    expect(worst).toBeLessThan(1.25 * tolerance);
  });
});
