import type { Box3 } from '../../src/format/asset.ts';
import type { CheckField } from '../../src/surface/check.ts';

export const CUBE: Box3 = { min: [-1, -1, -1], max: [1, 1, 1] };

/** A field from a closed form; gradients by central differences, which is enough to aim rays with. */
export function analyticField(f: (x: number, y: number, z: number) => number): CheckField {
  const h = 1e-6;
  const evaluate: CheckField['evaluate'] = (points, out, n = points.length / 3) => {
    for (let i = 0; i < n; i++) out[i] = f(points[i * 3], points[i * 3 + 1], points[i * 3 + 2]);
  };
  return {
    evaluate,
    evaluateWithGradient: (points, values, gradients, n = points.length / 3) => {
      evaluate(points, values, n);
      for (let i = 0; i < n; i++) {
        const [x, y, z] = points.subarray(i * 3, i * 3 + 3);
        gradients[i * 3] = (f(x + h, y, z) - f(x - h, y, z)) / (2 * h);
        gradients[i * 3 + 1] = (f(x, y + h, z) - f(x, y - h, z)) / (2 * h);
        gradients[i * 3 + 2] = (f(x, y, z + h) - f(x, y, z - h)) / (2 * h);
      }
    },
  };
}

/** Signed distance of a ball. */
export function ball(radius: number, center: readonly number[] = [0, 0, 0]) {
  return (x: number, y: number, z: number) =>
    Math.hypot(x - center[0], y - center[1], z - center[2]) - radius;
}

/** Exact signed distance of a cube of half side `half`. */
export function cube(half: number) {
  return (x: number, y: number, z: number) => {
    const q = [Math.abs(x) - half, Math.abs(y) - half, Math.abs(z) - half];
    return Math.hypot(...q.map((v) => Math.max(0, v))) + Math.min(0, Math.max(...q));
  };
}
