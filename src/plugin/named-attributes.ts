import type { SurfaceMesh } from '../index.ts';

/** One of a surface's attributes, as engines take it. */
export interface NamedAttribute {
  /** glTF's name. */
  readonly name: string;
  /** f32[nVertices * width] */
  readonly values: Float32Array;
  readonly width: number;
}

/** The attributes of a surface; none of one without vertices. */
export function namedAttributes({ positions, attributes = {} }: SurfaceMesh): NamedAttribute[] {
  const nVertices = positions.length / 3;
  if (nVertices === 0) return [];
  return Object.entries(attributes).map(([name, values]) => ({
    name,
    values,
    width: values.length / nVertices,
  }));
}
