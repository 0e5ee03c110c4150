import type { RawMesh } from '../../src/surface/finish.ts';
import { MeshEditor } from '../../src/surface/mesh-editor.ts';

type Point = readonly number[];
type Triangle = readonly number[];

/** A mesh with room for `nMore` vertices, and what is known of its vertices. */
export function meshOf(
  points: readonly (readonly number[])[],
  triangles: readonly (readonly number[])[],
  nMore = 0,
) {
  const nVertices = points.length;
  const room = nVertices + nMore;
  const positions = new Float64Array(room * 3);
  positions.set(points.flat());
  const normals = new Float64Array(room * 3);
  for (const [v, p] of points.entries())
    normals.set(
      p.map((x) => x / Math.hypot(...p)),
      v * 3,
    );
  const slopes = new Float64Array(room).fill(1);
  const indices = new Int32Array((triangles.length + 2 * nMore) * 3);
  indices.set(triangles.flat());
  const raw: RawMesh = {
    positions,
    normals: normals.slice(),
    slopes: new Float64Array(room * 2),
    nVertices,
    indices,
    nTriangles: triangles.length,
  };
  const editor = new MeshEditor(positions, nVertices, indices, triangles.length, new Uint8Array(room));
  return { raw, editor, at: { normals, slopes } };
}

/** The corners of |x| + |y| + |z| = radius, and its eight triangles, counter-clockwise from outside. */
export function octahedron(radius: number): { points: Point[]; triangles: Triangle[] } {
  const r = radius;
  const points = [[r, 0, 0], [0, r, 0], [-r, 0, 0], [0, -r, 0], [0, 0, r], [0, 0, -r]]; // biome-ignore format: one line
  const triangles = [0, 1, 2, 3].flatMap((i) => {
    const j = (i + 1) % 4;
    return [
      [i, j, 4],
      [j, i, 5],
    ];
  });
  return { points, triangles };
}

/** Every triangle cut into four at the middles of its sides. */
export function divide(mesh: { points: readonly Point[]; triangles: readonly Triangle[] }): {
  points: Point[];
  triangles: Triangle[];
} {
  const points = [...mesh.points];
  const middles = new Map<string, number>();
  const middle = (a: number, b: number): number => {
    const key = [a, b].sort((x, y) => x - y).join();
    const known = middles.get(key);
    if (known !== undefined) return known;
    points.push(points[a].map((x, k) => 0.5 * (x + points[b][k])));
    middles.set(key, points.length - 1);
    return points.length - 1;
  };
  const triangles = mesh.triangles.flatMap(([a, b, c]) => {
    const [ab, bc, ca] = [middle(a, b), middle(b, c), middle(c, a)];
    return [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]; // biome-ignore format: one line
  });
  return { points, triangles };
}

/** Sides of triangles that no other triangle has the other way round: none in a closed mesh. */
export function openSides(indices: ArrayLike<number>): string[] {
  const sides = new Set<string>();
  const side = (i: number, step: number) => indices[i - (i % 3) + ((i + step) % 3)];
  for (let i = 0; i < indices.length; i++) sides.add(`${side(i, 0)} ${side(i, 1)}`);
  return [...sides].filter((key) => !sides.has(key.split(' ').reverse().join(' ')));
}
