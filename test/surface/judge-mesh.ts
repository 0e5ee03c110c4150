import type { CpuField } from '../../src/field/cpu-field.ts';
import type { Box3 } from '../../src/format/asset.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';

/** Distance from the zero set that single precision explains, as a share of the domain's diagonal. */
const OFF_ZERO = 4e-7;

/**
 * What is wrong with a mesh, in words; nothing where all is right. Shares no code with the derivation or with `checkMesh`.
 * @param bounds where the mesh may be open: on the faces, exactly.
 */
export function judgeMesh({ positions, indices }: SurfaceMesh, field: CpuField, bounds: Box3): string[] {
  const faults = new Map<string, number>();
  const blame = (fault: string): void => void faults.set(fault, (faults.get(fault) ?? 0) + 1);
  const low = bounds.min.map(Math.fround);
  const high = bounds.max.map(Math.fround);
  const at = (v: number): number[] => [...positions.subarray(v * 3, v * 3 + 3)];
  const nVertices = positions.length / 3;
  const places = new Set<string>();
  for (let v = 0; v < nVertices; v++) {
    const p = at(v).map((x) => x + 0);
    if (p.some((x, k) => !(x >= low[k] && x <= high[k]))) blame('vertex out of bounds');
    if (places.has(p.join())) blame('duplicate position');
    places.add(p.join());
  }
  const directed = new Map<string, number>();
  const around = Array.from({ length: nVertices }, () => new Map<number, number>());
  for (let t = 0; t < indices.length; t += 3) {
    const corners = [indices[t], indices[t + 1], indices[t + 2]];
    if (isFlat(corners.map(at))) blame('degenerate triangle');
    corners.forEach((a, k) => {
      const [b, c] = [corners[(k + 1) % 3], corners[(k + 2) % 3]];
      const key = `${a},${b}`;
      if (directed.has(key)) blame('edge used twice one way');
      directed.set(key, t);
      around[a].set(b, c);
    });
  }
  for (const [key, t] of directed) {
    const [a, b] = key.split(',').map(Number);
    const other = directed.get(`${b},${a}`);
    if (other !== undefined) {
      const corners = [0, 1, 2].map((k) => indices[t + k]);
      if ([0, 1, 2].every((k) => corners.includes(indices[other + k]))) blame('folded triangles');
      continue;
    }
    const isOnFace = [0, 1, 2].some((k) => [low, high].some((f) => at(a)[k] === f[k] && at(b)[k] === f[k]));
    if (!isOnFace) blame('open edge off the faces');
  }
  for (let v = 0; v < nVertices; v++) if (!isOneFan(around[v])) blame('vertex of several fans');
  for (let v = 0, n = offZero(positions, field, bounds); v < n; v++) blame('vertex off the zero set');
  return [...faults].map(([fault, n]) => `${n} x ${fault}`);
}

function isFlat([p, q, r]: number[][]): boolean {
  const u = q.map((x, k) => x - p[k]);
  const w = r.map((x, k) => x - p[k]);
  return [0, 1, 2].every((k) => u[(k + 1) % 3] * w[(k + 2) % 3] === u[(k + 2) % 3] * w[(k + 1) % 3]);
}

/** @param next of every neighbour the one after it, going around. */
function isOneFan(next: ReadonlyMap<number, number>): boolean {
  if (next.size === 0) return false;
  const targets = new Set(next.values());
  const start = [...next.keys()].find((v) => !targets.has(v)) ?? (next.keys().next().value as number);
  let n = 0;
  for (let v: number | undefined = start; v !== undefined && next.has(v) && n < next.size; n++)
    v = next.get(v);
  return n === next.size;
}

const AXES = [-1, 0, 1].flatMap((x) => [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((z) => [x, y, z])));

/** Vertices that are off to first order, and beside which no sign changes either. */
function offZero(positions: Float32Array, field: CpuField, bounds: Box3): number {
  const n = positions.length / 3;
  const { min, max } = field.asset.domain;
  const reach = OFF_ZERO * Math.hypot(...[0, 1, 2].map((k) => max[k] - min[k]));
  const points = Float64Array.from(positions);
  const values = new Float64Array(n);
  const gradients = new Float64Array(n * 3);
  field.evaluateWithGradient(points, values, gradients, n);
  let nOff = 0;
  for (let v = 0; v < n; v++) {
    const slope = Math.hypot(...gradients.subarray(v * 3, v * 3 + 3));
    if (Math.abs(values[v]) <= reach * slope) continue;
    const near = Float64Array.from(
      AXES.flatMap((d) =>
        d.map((x, k) =>
          Math.min(
            bounds.max[k],
            Math.max(bounds.min[k], points[v * 3 + k] + (2 * reach * x) / (Math.hypot(...d) || 1)),
          ),
        ),
      ),
    );
    const around = new Float64Array(AXES.length);
    field.evaluate(near, around, AXES.length);
    if (!around.some((f) => f >= 0 !== values[v] >= 0)) nOff++;
  }
  return nOff;
}
