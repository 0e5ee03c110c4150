import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/surface/check-random.ts';
import { type Triangles, TriangleTree } from '../../src/surface/triangle-tree.ts';
import { MeshSource } from '../../src/train/distance-source.ts';
import { SAMPLE_STRIDE } from '../../src/train/gradient.ts';
import { prepareMesh } from '../../src/train/training-mesh.ts';
import { join, type PlainMesh, sphere, typed } from '../surface/check-meshes.ts';

type Point = readonly [number, number, number];
interface Box {
  readonly min: Point;
  readonly max: Point;
  /** Divides its faces along their other diagonals. */
  readonly isCrossed?: boolean;
}

/** Corners a face, counter-clockwise from outside; bit k of a corner says on which side of axis k it lies. */
const FACES = [
  [0, 4, 6, 2],
  [1, 3, 7, 5],
  [0, 1, 5, 4],
  [2, 6, 7, 3],
  [0, 2, 3, 1],
  [4, 5, 7, 6],
];

function boxMesh({ min, max, isCrossed }: Box): PlainMesh {
  const corners = Array.from({ length: 8 }, (_, i) => min.map((x, k) => ((i >> k) & 1 ? max[k] : x)));
  const order = isCrossed ? [1, 2, 3, 1, 3, 0] : [0, 1, 2, 0, 2, 3];
  return { positions: corners.flat(), indices: FACES.flatMap((face) => order.map((i) => face[i])) };
}

/** About an axis of no symmetry. */
function turned({ positions, indices }: PlainMesh): PlainMesh {
  const [c, s, d, e] = [Math.cos(0.7), Math.sin(0.7), Math.cos(1.1), Math.sin(1.1)];
  const turn = ([x, y, z]: number[]): number[] => [
    c * x - s * y,
    d * (s * x + c * y) - e * z,
    e * (s * x + c * y) + d * z,
  ];
  const points = Array.from({ length: positions.length / 3 }, (_, v) => positions.slice(3 * v, 3 * v + 3));
  return { positions: points.flatMap(turn), indices };
}

const distanceToBox = (p: readonly number[], { min, max }: Box): number => {
  const q = p.map((x, k) => Math.max(min[k] - x, x - max[k]));
  return Math.hypot(...q.map((x) => Math.max(0, x))) + Math.min(0, Math.max(...q));
};

const area = ({ positions: p, indices }: Triangles): number => {
  let sum = 0;
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => indices[t + k] * 3);
    const [u, v] = [b, c].map((o) => [0, 1, 2].map((k) => p[o + k] - p[a + k]));
    sum += Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 2;
  }
  return sum;
};

/** Boxes on a floor at z = 0.25, as parts of one model stand. */
const LARGE: Box = { min: [0, 0, 0.25], max: [3, 2, 1.75] };
const CASES: readonly { name: string; boxes: readonly Box[]; area: number }[] = [
  {
    name: 'two that stand on one floor',
    boxes: [LARGE, { min: [1.8, 0.4, 0.25], max: [4, 1.1, 0.95] }],
    // Beyond x = 3: a floor, a roof and two sides of 1 long; the end stands for what it hides.
    area: 27 + 2 * 0.7 + 2 * 0.7,
  },
  {
    name: 'three floors at one place',
    boxes: [
      LARGE,
      { min: [1, 0.5, 0.25], max: [2, 1.5, 0.8] },
      { min: [1.5, 0.75, 0.25], max: [2.5, 1.25, 1] },
    ],
    area: 27,
  },
  {
    name: 'one twice, divided otherwise',
    boxes: [LARGE, { ...LARGE, isCrossed: true }],
    area: 27,
  },
  {
    name: 'one that stands on the other, flush with one of its sides',
    boxes: [LARGE, { min: [0.6, 0, 1.75], max: [1.7, 1.3, 2.5] }],
    area: 27 + 2 * (1.1 + 1.3) * 0.75,
  },
  {
    name: 'two halves whose wall has the same corners',
    boxes: [
      { min: [0, 0, 0.25], max: [1.5, 2, 1.75] },
      { min: [1.5, 0, 0.25], max: [3, 2, 1.75] },
    ],
    area: 27,
  },
];

describe.each([
  { way: 'along the axes', place: (mesh: PlainMesh) => mesh },
  { way: 'turned', place: turned },
])('boxes with flush faces, $way', ({ place }) => {
  it.each(CASES)('$name: each border once, none within', ({ boxes, area: expected }) => {
    const { surface, triangles, tree, domain } = prepareMesh([
      typed(place(boxes.map(boxMesh).reduce((a, b) => join(a, b)))),
    ]);
    const half = (domain.max[0] - domain.min[0]) / 2;
    // Pieces of a hundredth of the cube are dropped or doubled along seams of a few lengths.
    expect(Math.abs(area(surface) * half ** 2 - expected)).toBeLessThan(0.02 * expected);
    const near = new TriangleTree(surface);
    const source = new MeshSource(triangles, surface, tree);
    const random = createRandom(5);
    for (const box of boxes) {
      for (let i = 0; i < 600; i++) {
        const axis = i % 3;
        const isMax = i % 2 === 0;
        const point = box.min.map((low, k) =>
          k === axis ? (isMax ? box.max[k] : low) : low + random() * (box.max[k] - low),
        );
        const at = (p: readonly number[]): number[] =>
          place({ positions: [...p], indices: [] }).positions.map((x, k) => (x - domain.min[k]) / half - 1);
        const beside = (offset: number) => point.map((x, k) => (k === axis ? x + offset : x));
        const step = isMax ? 1e-3 : -1e-3;
        const isBorder =
          boxes.every((other) => distanceToBox(beside(step), other) > 0) &&
          boxes.some((other) => distanceToBox(beside(-step), other) < 0);
        const [x, y, z] = at(point);
        if (isBorder) expect(near.closest(x, y, z) * half).toBeLessThan(0.02);
        // Behind it, by an eighth: a union is at least as deep as the deepest of its parts.
        const behind = beside(-125 * step);
        const depth = Math.max(...boxes.map((other) => -distanceToBox(behind, other)));
        const sample = new Float64Array(SAMPLE_STRIDE);
        sample.set(at(behind));
        source.complete(sample, 0);
        expect(sample[3] * half).toBeLessThan(0.02 - depth);
      }
    }
  });
});

it('knows the parts of a surface that was taken apart: those that cross are one, those apart are others', () => {
  const crossing = [sphere(3, 1), sphere(3, 0.8, [1.1, 0.3, 0]), sphere(2, 0.4, [-0.2, 0, 1.1])];
  const apart = [sphere(3, 0.5, [-2.2, 0.1, 0.2]), sphere(2, 0.2, [3, -1, 0.4])];
  const mesh = typed([...crossing, ...apart].reduce((a, b) => join(a, b)));
  const { triangles, surface, tree, domain } = prepareMesh([mesh]);
  expect(surface).not.toBe(triangles);
  const source = new MeshSource(triangles, surface, tree);
  const half = (domain.max[0] - domain.min[0]) / 2;
  const out = new Float64Array(3);
  const partAt = (point: readonly number[]): number => {
    const [x, y, z] = point.map((p, k) => (p - domain.min[k]) / half - 1);
    source.writeClosest(x, y, z, out, 0);
    return source.part;
  };
  const union = [-1.1, 0, 0, 1.9, 0.4, 0, 1, -0.6, 0.1, -0.2, 0.1, 1.7].map((_, i, all) =>
    all.slice(i, i + 3),
  );
  const parts = new Set(union.filter((_, i) => i % 3 === 0).map(partAt));
  expect(parts.size).toBe(1);
  const all = new Set([...parts, partAt([-2.8, 0.1, 0.2]), partAt([3.2, -1, 0.4])]);
  expect(all.size).toBe(3);
  expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
});
