import type { ColoredTriangles, Triangles } from '../../src/train/index.ts';

/** Shapes that the page has with it, made here. */
export const SAMPLES: Readonly<Record<string, () => ColoredTriangles>> = {
  toadstool: () => toadstool(),
  knot: () => tube(260, 28, knotRing(28, 0.17)),
  gear: () => tube(N_TEETH * 16, 4, gearRing),
  links: () => joined([tube(96, 28, torusRing(28, 0)), tube(96, 28, torusRing(28, 1))]),
  multi: () => joined(beads()),
  bowl: () => lathe(96, smooth(BOWL, 12).reverse()),
};

export const N_TEETH = 16;

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

/** A spur gear with a bore: the corners of its section at every angle. At an angle of 0 there is the middle of a gap. */
function gearRing(t: number, j: number): Point {
  const angle = t * 2 * Math.PI;
  const phase = (t * N_TEETH) % 1;
  const tip = Math.min(1, Math.max(0, 2 - 8 * Math.abs(phase - 0.5)));
  const radius = j === 0 || j === 3 ? 0.7 + 0.2 * tip : 0.3;
  return [radius * Math.cos(angle), radius * Math.sin(angle), j < 2 ? 0.22 : -0.22];
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

/** A point of an outline: how far from the axis, and how high. */
type Outline = readonly (readonly [r: number, y: number])[];

/** The outline of a bowl, inside and outside: a wall a fiftieth as thick as the bowl is wide. */
const BOWL: Outline = [
  [0, -0.36],
  [0.32, -0.34],
  [0.62, -0.18],
  [0.8, 0.1],
  [0.88, 0.42],
  [0.9, 0.45],
  [0.912, 0.42],
  [0.834, 0.08],
  [0.645, -0.21],
  [0.33, -0.375],
  [0, -0.395],
];

/** The outline of a toadstool, from the ground up: stem, gills, cap. */
const TOADSTOOL: Outline = [
  [0, -0.82],
  [0.2, -0.8],
  [0.26, -0.66],
  [0.19, -0.4],
  [0.15, -0.1],
  [0.14, 0.12],
  [0.3, 0.16],
  [0.55, 0.08],
  [0.74, 0.0],
  [0.8, 0.06],
  [0.74, 0.3],
  [0.54, 0.55],
  [0.28, 0.7],
  [0, 0.74],
];

/** An outline turned about the y axis; it begins and ends on the axis, with the material to its left: outwards is to its right. */
function lathe(n: number, outline: Outline): Triangles & { readonly coordinates: Float32Array } {
  const m = outline.length;
  const positions = new Float32Array((n + 1) * m * 3);
  const coordinates = new Float32Array((n + 1) * m * 2);
  const indices: number[] = [];
  for (let i = 0; i <= n; i++) {
    // The last column lies on the first: only its texture coordinates are others.
    const angle = ((i % n) / n) * 2 * Math.PI;
    outline.forEach(([r, y], j) => {
      const v = i * m + j;
      positions.set([r * Math.cos(angle), y, -r * Math.sin(angle)], v * 3);
      coordinates.set([i / n, j / (m - 1)], v * 2);
      if (i === n || j === m - 1) return;
      if (j > 0) indices.push(v, v + m, v + 1);
      if (j < m - 2) indices.push(v + 1, v + m, v + m + 1);
    });
  }
  return { positions, indices: Uint32Array.from(indices), coordinates };
}

/** A curve through an outline's points, n pieces between two of them. @see Catmull and Rom 1974 */
function smooth(points: Outline, n: number): [number, number][] {
  const out: [number, number][] = [];
  for (let i = 0; i + 1 < points.length; i++) {
    const [p, q] = [points[i], points[i + 1]];
    const [before, after] = [points[i - 1] ?? p, points[i + 2] ?? q];
    for (let k = 0; k < n; k++) {
      const t = k / n;
      const at = (axis: 0 | 1): number => {
        const [a, b] = [(q[axis] - before[axis]) / 2, (after[axis] - p[axis]) / 2];
        const c = q[axis] - p[axis];
        return p[axis] + t * (a + t * (3 * c - 2 * a - b + t * (a + b - 2 * c)));
      };
      out.push([Math.max(0, at(0)), at(1)]);
    }
  }
  out.push([...points[points.length - 1]] as [number, number]);
  return out;
}

/** A toadstool with its colours in a texture. */
function toadstool(): ColoredTriangles {
  const outline = smooth(TOADSTOOL, 8);
  const { coordinates, ...mesh } = lathe(96, outline);
  return { ...mesh, colors: { texture: { coordinates, image: toadstoolSkin(outline) } } };
}

/** Where the cap and its underside begin, by height on the stem and distance from the axis there. */
const STEM_RADIUS = 0.145;
const RIM_HEIGHT = 0.05;
const DOTS = { n: 34, radius: 0.1, turn: Math.PI * (3 - Math.sqrt(5)) } as const;

/** A red cap with white dots, gills below it, a pale stem with a green foot. */
function toadstoolSkin(outline: Outline) {
  const [width, height] = [512, 512];
  const data = new Uint8Array(width * height * 4).fill(255);
  // Dots as seeds lie in a sunflower, from the top down.
  const dots = Array.from({ length: DOTS.n }, (_, i): Point => {
    const [share, angle] = [(i + 0.5) / DOTS.n, i * DOTS.turn];
    const r = 0.8 * Math.sqrt(share);
    const y = 0.74 * Math.sqrt(1 - 0.85 * share);
    return [r * Math.cos(angle), y, r * Math.sin(angle)];
  });
  for (let row = 0; row < height; row++) {
    const along = ((row + 0.5) / height) * (outline.length - 1);
    const j = Math.min(outline.length - 2, Math.floor(along));
    const [r, y] = [0, 1].map((k) => outline[j][k] + (along - j) * (outline[j + 1][k] - outline[j][k]));
    const isCap = y > RIM_HEIGHT && along > (outline.length - 1) / 2;
    for (let column = 0; column < width; column++) {
      const angle = ((column + 0.5) / width) * 2 * Math.PI;
      const at: Point = [r * Math.cos(angle), y, r * Math.sin(angle)];
      const color = isCap
        ? capColor(at, dots)
        : r > STEM_RADIUS && y > -0.05
          ? gillColor(angle)
          : stemColor(y);
      data.set(color, (row * width + column) * 4);
    }
  }
  return { width, height, data };
}

function capColor(at: Point, dots: readonly Point[]): readonly number[] {
  const isDot = dots.some((dot) => Math.hypot(...dot.map((x, k) => x - at[k])) < DOTS.radius);
  return isDot ? [248, 240, 222] : [196, 28, 22];
}

function gillColor(angle: number): readonly number[] {
  return Math.sin(angle * 24) > 0 ? [240, 220, 180] : [196, 160, 112];
}

function stemColor(y: number): readonly number[] {
  return y < -0.7 ? [96, 130, 56] : [236, 226, 204];
}

/** Ten parts: eight balls around a ring, the ring, and a thin disc in it. */
function beads(): Triangles[] {
  const ring = tube(96, 24, (t, j) => {
    const [u, v] = [t * 2 * Math.PI, (j / 24) * 2 * Math.PI];
    const r = 0.5 + 0.07 * Math.cos(v);
    return [r * Math.cos(u), 0.07 * Math.sin(v), -r * Math.sin(u)];
  });
  const half = (r: number, y: number, power: number) =>
    Array.from({ length: 17 }, (_, i): [number, number] => {
      const angle = (i / 16) * Math.PI;
      return [i % 16 === 0 ? 0 : r * Math.sin(angle) ** power, -y * Math.cos(angle)];
    });
  const ball = half(0.14, 0.14, 1);
  const disc = half(0.35, 0.02, 0.25);
  const balls = Array.from({ length: 8 }, (_, i) => {
    const angle = (i / 8) * 2 * Math.PI;
    const { positions, indices } = lathe(32, ball);
    const centre = [0.76 * Math.cos(angle), 0, 0.76 * Math.sin(angle)];
    return { positions: positions.map((x, k) => x + centre[k % 3]), indices };
  });
  return [ring, lathe(64, disc), ...balls];
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
