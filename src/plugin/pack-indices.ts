import type { SurfaceMesh } from '../index.ts';

/** Above this many vertices a 16-bit index no longer reaches them all; 65535 itself restarts a primitive. */
const MAX_VERTICES_U16 = 65535;

/** The indices as engines take them: u16 up to 65,535 vertices, the mesh's own u32 above. */
export function packIndices({ positions, indices }: SurfaceMesh): Uint16Array | Uint32Array {
  return positions.length / 3 <= MAX_VERTICES_U16 ? new Uint16Array(indices) : indices;
}
