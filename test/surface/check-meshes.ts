import type { CheckableMesh } from '../../src/surface/check-topology.ts';

/** A mesh under construction, in plain arrays that tests may break. */
export interface PlainMesh {
  positions: number[];
  indices: number[];
}

/** A lattice of n×n points folded into a torus (genus 1, closed, outward). */
export function torus(n = 12, major = 0.5, minor = 0.2): PlainMesh {
  const positions: number[] = [];
  const indices: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const u = (i / n) * 2 * Math.PI;
      const v = (j / n) * 2 * Math.PI;
      const r = major + minor * Math.cos(v);
      positions.push(r * Math.cos(u), r * Math.sin(u), minor * Math.sin(v));
      const at = (di: number, dj: number) => ((i + di) % n) * n + ((j + dj) % n);
      indices.push(at(0, 0), at(1, 0), at(1, 1), at(0, 0), at(1, 1), at(0, 1));
    }
  }
  return { positions, indices };
}

/** A sphere from an octahedron, each triangle split in four `depth` times (genus 0, closed, outward). */
export function sphere(depth = 3, radius = 0.5, center = [0, 0, 0]): PlainMesh {
  const unit = [
    [1, 0, 0],
    [-1, 0, 0],
    [0, 1, 0],
    [0, -1, 0],
    [0, 0, 1],
    [0, 0, -1],
  ];
  let triangles = [
    [0, 2, 4],
    [2, 1, 4],
    [1, 3, 4],
    [3, 0, 4],
    [2, 0, 5],
    [1, 2, 5],
    [3, 1, 5],
    [0, 3, 5],
  ];
  const middles = new Map<string, number>();
  const middle = (a: number, b: number): number => {
    const key = a < b ? `${a},${b}` : `${b},${a}`;
    const known = middles.get(key);
    if (known !== undefined) return known;
    const sum = unit[a].map((x, k) => x + unit[b][k]);
    const length = Math.hypot(...sum);
    unit.push(sum.map((x) => x / length));
    middles.set(key, unit.length - 1);
    return unit.length - 1;
  };
  for (let d = 0; d < depth; d++) {
    triangles = triangles.flatMap(([a, b, c]) => {
      const [ab, bc, ca] = [middle(a, b), middle(b, c), middle(c, a)];
      return [
        [a, ab, ca],
        [ab, b, bc],
        [ca, bc, c],
        [ab, bc, ca],
      ];
    });
  }
  return {
    positions: unit.flatMap((p) => p.map((x, k) => x * radius + center[k])),
    indices: triangles.flat(),
  };
}

/** Two meshes in one, their vertices kept apart. */
export function join(a: PlainMesh, b: PlainMesh): PlainMesh {
  const shift = a.positions.length / 3;
  return {
    positions: [...a.positions, ...b.positions],
    indices: [...a.indices, ...b.indices.map((i) => i + shift)],
  };
}

/** The same mesh inside out. */
export function flipped({ positions, indices }: PlainMesh): PlainMesh {
  return { positions, indices: indices.map((_, i) => indices[i - (i % 3) + 2 - (i % 3)]) };
}

/** The mesh without the triangles that `isDropped` names. */
export function without(mesh: PlainMesh, isDropped: (triangle: number) => boolean): PlainMesh {
  return { ...mesh, indices: mesh.indices.filter((_, i) => !isDropped(Math.floor(i / 3))) };
}

export function typed({ positions, indices }: PlainMesh): CheckableMesh {
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}
