import type { Triangles } from '../../src/train/index.ts';

/** Shapes that the page has with it, made here. */
export const SAMPLES: Readonly<Record<string, () => Triangles>> = {
  knot: () => tube(260, 28, knotRing(28, 0.17)),
  gear: () => tube(14 * 12, 4, gearRing(14)),
  links: () => joined([tube(96, 28, torusRing(28, 0)), tube(96, 28, torusRing(28, 1))]),
};

type Point = readonly [x: number, y: number, z: number];
/** Point j of n of the ring at t in [0, 1). */
type Ring = (t: number, j: number) => Point;

/** A closed tube of n rings with m points each: every edge has two triangles, none is degenerate. */
function tube(n: number, m: number, ring: Ring): Triangles {
  const positions = new Float32Array(n * m * 3);
  const indices: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      positions.set(ring(i / n, j), (i * m + j) * 3);
      const [a, b] = [i * m + j, i * m + ((j + 1) % m)];
      const [c, d] = [((i + 1) % n) * m + j, ((i + 1) % n) * m + ((j + 1) % m)];
      indices.push(a, c, b, b, c, d);
    }
  }
  return { positions, indices: Uint32Array.from(indices) };
}

/** The (2, 3) torus knot. */
function knotRing(m: number, radius: number): Ring {
  const at = (t: number): Point => {
    const u = t * 2 * Math.PI;
    const r = 0.55 + 0.24 * Math.cos(3 * u);
    return [r * Math.cos(2 * u), r * Math.sin(2 * u), 0.24 * Math.sin(3 * u)];
  };
  return (t, j) => {
    const here = at(t);
    const ahead = at(t + 1e-4);
    const tangent = unit(ahead.map((x, k) => x - here[k]) as unknown as Point);
    const side = unit(cross(tangent, [here[0], here[1], 0]));
    const up = cross(side, tangent);
    const angle = (j / m) * 2 * Math.PI;
    const [c, s] = [radius * Math.cos(angle), radius * Math.sin(angle)];
    return [0, 1, 2].map((k) => here[k] + c * side[k] + s * up[k]) as unknown as Point;
  };
}

/** A spur gear with a bore: the corners of its section at every angle. */
function gearRing(nTeeth: number): Ring {
  return (t, j) => {
    const angle = t * 2 * Math.PI;
    const phase = (t * nTeeth) % 1;
    const tip = Math.min(1, Math.max(0, 3.2 - 8 * Math.abs(phase - 0.5)));
    const radius = j === 0 || j === 3 ? 0.68 + 0.22 * tip : 0.3;
    return [radius * Math.cos(angle), radius * Math.sin(angle), j < 2 ? -0.22 : 0.22];
  };
}

/** One of two rings that hold each other. */
function torusRing(m: number, which: 0 | 1): Ring {
  return (t, j) => {
    const [u, v] = [t * 2 * Math.PI, (j / m) * 2 * Math.PI];
    const r = 0.46 + 0.15 * Math.cos(v);
    const [x, y, z] = [r * Math.cos(u), r * Math.sin(u), 0.15 * Math.sin(v)];
    return which === 0 ? [x - 0.24, y, z] : [x + 0.24, -z, y];
  };
}

function joined(parts: readonly Triangles[]): Triangles {
  const positions = parts.flatMap((part) => [...part.positions]);
  let first = 0;
  const indices = parts.flatMap((part) => {
    const own = [...part.indices].map((v) => v + first);
    first += part.positions.length / 3;
    return own;
  });
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}

function cross([ax, ay, az]: Point, [bx, by, bz]: Point): Point {
  return [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
}

function unit(v: Point): Point {
  const norm = Math.hypot(...v);
  return [v[0] / norm, v[1] / norm, v[2] / norm];
}
