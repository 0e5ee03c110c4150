import type { Vec3 } from '../index.ts';

/** A transform that moves by `origin` before all else: of a mesh whose positions are relative to one. @param e 4x4, column-major. */
export function translated(e: readonly number[], origin: Vec3 | undefined): readonly number[] {
  if (origin === undefined) return e;
  const [x, y, z] = origin;
  const at = (k: number): number => e[k] * x + e[4 + k] * y + e[8 + k] * z + e[12 + k];
  return [...e.slice(0, 12), at(0), at(1), at(2), at(3)];
}
