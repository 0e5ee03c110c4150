import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { CornerTable, createLattice } from '../../src/partition/corners.ts';
import { Forest, NODE_SETTLED } from '../../src/partition/forest.ts';
import { RegionNetwork } from '../../src/partition/region-network.ts';
import { DetailMap } from '../../src/surface/detail-map.ts';
import { EdgeTable } from '../../src/surface/edges.ts';
import { FaceTable } from '../../src/surface/faces.ts';
import { VertexTable } from '../../src/surface/mesh-tables.ts';
import { buildRects } from '../../src/surface/rects.ts';
import { sampledField, UNIT_DOMAIN } from '../fixtures/fields.ts';
import { identityLayers } from '../fixtures/mlp-parts.ts';
import { runSteps } from '../partition/run-steps.ts';

const TOLERANCE = 2e-3;

/** All curves on the faces of one cell, the middle of the domain's, across which planes pass; f is bilinear along (x, y). */
function followFaces(f: (x: number, y: number) => number) {
  const asset = sampledField([([x, y]) => f(x, y)], identityLayers(), { cells: [8, 16] });
  const field = createCpuField(asset);
  const planes = [field.marks(0), field.marks(1), field.marks(2)] as const;
  const lattice = { ...createLattice(planes), rootBits: 3 };
  const table = new CornerTable(field, lattice);
  const forest = new Forest(lattice, Int32Array.of(1, 1, 1));
  forest.state[0] = NODE_SETTLED;
  forest.errorSpan[0] = Number.POSITIVE_INFINITY;
  expect(forest.hasPlanes(0)).toBe(true);
  const { rects } = runSteps(buildRects(forest, table));
  const vertices = new VertexTable();
  const net = new RegionNetwork(field);
  const edges = new EdgeTable(table, vertices, net, false);
  const shape = { share: 1, detail: DetailMap.uniform(TOLERANCE, UNIT_DOMAIN), keepsKinks: false };
  const faces = new FaceTable(table, forest, rects, edges, vertices, net, shape);
  for (let rect = 0; rect < rects.nRects; rect++) faces.decide(rect);
  const center = [0, 1].map((k) => (planes[k][8] + planes[k][16]) / 2);
  return { field, rects, faces, vertices, center };
}

const middleOf8 = (() => {
  const { center } = followFaces(() => 1);
  return center;
})();

describe.each([0.02, -0.02])('four roots around a saddle whose middle is %d', (height) => {
  const [a, b] = middleOf8;
  const { field, rects, faces, vertices } = followFaces((x, y) => (x - a) * (y - b) + height);
  const value = new Float64Array(1);
  const at = (p: readonly number[]): number => {
    field.evaluate(Float64Array.from(p), value, 1);
    return value[0];
  };
  const across = [...Array(rects.nRects).keys()].filter(
    (rect) => rects.axis[rect] === 2 && faces.curveStart[rect + 1] > faces.curveStart[rect],
  );

  test('are the ends of two curves, which f is positive on the left of, within the tolerance', () => {
    expect(across.length).toBe(2);
    for (const rect of across) {
      const [from, to] = [faces.curveStart[rect], faces.curveStart[rect + 1]];
      expect(to - from).toBe(2);
      expect(faces.isAstray[rect]).toBe(0);
      for (let curve = from; curve < to; curve++) {
        const ids = [...faces.chain.subarray(faces.chainStart[curve], faces.chainStart[curve + 1])];
        const places = ids.map((id) => [...vertices.positions.subarray(id * 3, id * 3 + 3)]);
        expect(places.length).toBeGreaterThan(3);
        for (let i = 1; i < places.length; i++) {
          const [p, q] = [places[i - 1], places[i]];
          const [dx, dy] = [q[0] - p[0], q[1] - p[1]];
          const length = Math.hypot(dx, dy);
          const [mx, my] = [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
          const beside = (side: number) => at([mx - (side * dy) / length, my + (side * dx) / length, p[2]]);
          expect(beside(2 * TOLERANCE)).toBeGreaterThan(0);
          expect(beside(-2 * TOLERANCE)).toBeLessThan(0);
        }
      }
    }
  });
});
