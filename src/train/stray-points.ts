import type { CpuField } from '../field/cpu-field.ts';
import type { Triangles } from '../surface/triangle-tree.ts';
import { componentsOf } from './components.ts';

/** Vertices of a piece that are taken; one that rounding made has a dozen. */
const MOST = 64;

/**
 * Where a packed field has pieces that the field has not: of the mesh's pieces, those that lie farthest from the field's surface.
 * @param nTrue how many the field has.
 * @returns f64[3n]: vertices of theirs, and the middle of each.
 */
export function strayPoints(
  { positions, indices }: Triangles,
  field: CpuField,
  nTrue: number,
): Float64Array<ArrayBuffer> {
  const componentOf = componentsOf(indices, positions.length / 3);
  const values = new Float64Array(componentOf.length);
  field.evaluate(positions, values);
  const members = new Map<number, number[]>();
  componentOf.forEach((component, v) => {
    const known = members.get(component);
    if (known) known.push(v);
    else if (component >= 0) members.set(component, [v]);
  });
  const mean = (of: readonly number[], value: (v: number) => number): number =>
    of.reduce((sum, v) => sum + value(v), 0) / of.length;
  const farness = (of: readonly number[]): number => mean(of, (v) => Math.abs(values[v]));
  const strays = [...members.values()].sort((a, b) => farness(a) - farness(b)).slice(nTrue);
  const points = strays.flatMap((of) => [
    ...thinned(of).flatMap((v) => [0, 1, 2].map((k) => positions[v * 3 + k])),
    ...[0, 1, 2].map((k) => mean(of, (v) => positions[v * 3 + k])),
  ]);
  return Float64Array.from(points);
}

function thinned(vertices: readonly number[]): readonly number[] {
  const stride = Math.ceil(vertices.length / MOST);
  return vertices.filter((_, i) => i % stride === 0);
}
