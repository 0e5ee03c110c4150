import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { conclude, type Findings, NO_STOPS } from '../../src/pipeline/figures.ts';
import {
  countUnpairedSides,
  directNormals,
  faceMasks,
  finishMesh,
  heldAxes,
  putOnZeroSet,
} from '../../src/surface/finish.ts';
import { octahedronMlp, planeMlp } from '../fixtures/fields.ts';
import { runSteps } from '../partition/run-steps.ts';
import { CUBE } from './analytic-fields.ts';
import { meshOf, octahedron } from './tiny-mesh.ts';

describe('finishMesh', () => {
  it('drops vertices that no triangle has, and keeps the order of the others', () => {
    const { points, triangles } = octahedron(0.5);
    const { raw } = meshOf(
      [[9, 9, 9], ...points],
      triangles.map((t) => t.map((v) => v + 1)),
    );
    const mesh = finishMesh(raw);
    expect(mesh.positions).toEqual(Float32Array.from(points.flat()));
    expect([...mesh.indices]).toEqual(triangles.flat());
  });

  it('gives normals of unit length, any where there is none', () => {
    const { points, triangles } = octahedron(0.5);
    const { raw } = meshOf(points, triangles);
    raw.normals.set([0, 0, 0], 0);
    raw.normals.set([3, 4, 0], 3);
    raw.normals.set([Number.POSITIVE_INFINITY, 0, 0], 6);
    const { normals } = finishMesh(raw);
    expect([...normals.subarray(0, 9)]).toEqual([0, 0, 1, Math.fround(0.6), Math.fround(0.8), 0, 0, 0, 1]);
  });
});

it('countUnpairedSides counts sides that run against none or several, but for open ones on a face', () => {
  const { points, triangles } = octahedron(0.5);
  const open = (kept: typeof triangles, bounds = CUBE) => {
    const { raw } = meshOf(points, kept);
    return runSteps(countUnpairedSides(raw.indices, faceMasks(raw.positions, raw.nVertices, bounds)));
  };
  expect(open(triangles)).toBe(0);
  expect(open(triangles.slice(1))).toBe(3);
  // A triangle that is there twice: its sides run against one each, those beside it against two.
  expect(open([...triangles, triangles[0]])).toBe(3);
  // Without the upper half it is open along a square: on a face of bounds that end there, a hole in others.
  const lower = triangles.filter((t) => t.every((v) => points[v][2] <= 0));
  expect(open(lower)).toBe(4);
  expect(open(lower, { min: [-1, -1, -1], max: [1, 1, 0] })).toBe(0);
});

it('a mesh with holes is not complete, whatever is certified', () => {
  const findings = { method: 'derived', nBoxesUnsettled: 0, toleranceLocal: 1, errorLocal: 0 } as const;
  const isComplete = (nUnpairedSides: number) =>
    conclude({ ...findings, stops: { ...NO_STOPS, nUnpairedSides } } as unknown as Findings).isComplete;
  expect([isComplete(0), isComplete(2)]).toEqual([true, false]);
});

it('directNormals takes the gradient where triangles gave nothing, and only there', () => {
  const { points, triangles } = octahedron(0.5);
  const { raw } = meshOf(points, triangles);
  raw.normals.fill(0, 0, 3);
  const kept = raw.normals.slice(3);
  directNormals(createCpuField(planeMlp([0, 0, 1], -0.25)), raw);
  expect([...raw.normals.subarray(0, 3)]).toEqual([0, 0, 1]);
  expect(raw.normals.subarray(3)).toEqual(kept);
});

describe('putOnZeroSet', () => {
  const R = 0.625;
  const field = createCpuField(octahedronMlp(R));
  const moved = (point: readonly number[], reach: number) => {
    const { raw } = meshOf([point, [0.2, 0.2, 0.2]], []);
    putOnZeroSet(field, raw, CUBE, reach, [0]);
    expect([...raw.positions.subarray(3, 6)]).toEqual([0.2, 0.2, 0.2]);
    return [...raw.positions.subarray(0, 3)];
  };
  const value = ([x, y, z]: readonly number[]) => Math.abs(x) + Math.abs(y) + Math.abs(z) - R;

  it.each([{ point: [0.2, 0.25, 0.3] }, { point: [0.1, -0.2, 0.1] }, { point: [-0.6, 0.1, 0.05] }])(
    'moves $point onto the zero set, as far as it has to',
    ({ point }) => {
      const to = moved(point, 0.5);
      expect(Math.abs(value(to))).toBeLessThan(1e-7);
      const distance = Math.hypot(...to.map((x, k) => x - point[k]));
      expect(distance).toBeLessThan(2 * Math.abs(value(point)));
    },
  );

  it('goes no farther than the reach, nor out of the bounds', () => {
    const point = [0.4, 0.4, 0.4];
    const to = moved(point, 0.05);
    expect(Math.hypot(...to.map((x, k) => x - point[k]))).toBeLessThanOrEqual(0.05 + 1e-12);
    const { raw } = meshOf([[1, 0.1, 0.2]], []);
    putOnZeroSet(createCpuField(planeMlp([0.6, 0, 0.8], 0.6)), raw, CUBE, 1, [0]);
    // On a face it slides along the face.
    expect(raw.positions[0]).toBe(1);
    expect(raw.positions[2]).toBeCloseTo(0, 12);
  });
});

describe('faceMasks', () => {
  it('names the faces that a vertex lies on in single precision', () => {
    const positions = Float64Array.of(-1, 0, 1, 1 - 1e-9, -1 - 1e-12, 0, 0.5, 0.5, 0.5);
    expect([...faceMasks(positions, 3, CUBE)]).toEqual([1 | 32, 2 | 4, 0]);
  });

  it('tells which axes they hold', () => {
    expect([0, 1, 2, 4, 8, 16, 32, 63, 1 | 32].map(heldAxes)).toEqual([0, 1, 1, 2, 2, 4, 4, 7, 5]);
  });
});
