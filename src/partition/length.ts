/** Length of (x, y, z). Math.hypot, which guards against overflow, takes ten times as long in V8 (measured 2026-11-24). */
export function length3(x: number, y: number, z: number): number {
  return Math.sqrt(x * x + y * y + z * z);
}
