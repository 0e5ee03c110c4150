/** What every engine draws a surface with: indices, attributes, and the look of a field whose file names no material. */
import type { SurfaceMesh } from '../index.ts';

/** Above this many vertices a 16-bit index no longer reaches them all; 65535 itself restarts a primitive. */
const MAX_VERTICES_U16 = 65535;

/** The indices as engines take them: u16 up to 65,535 vertices, the mesh's own u32 above. */
export function packIndices({ positions, indices }: SurfaceMesh): Uint16Array | Uint32Array {
  return positions.length / 3 <= MAX_VERTICES_U16 ? new Uint16Array(indices) : indices;
}

/** One of a surface's attributes, as engines take it. */
interface NamedAttribute {
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

/**
 * A warm matte clay: how a field is drawn whose file names no material (glTF's own default is bare metal).
 * Linear RGB of sRGB #d8d0c5.
 */
export const DEFAULT_LOOK = {
  name: 'nsdf-default',
  baseColor: [0.68669, 0.63076, 0.55834],
  roughness: 0.62,
  metalness: 0,
} as const;
