import { VertexBuffer } from '@babylonjs/core/Buffers/buffer.js';
import { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { SurfaceMesh } from '../index.ts';
import { packIndices } from '../plugin/pack-indices.ts';

/**
 * Makes plain indexed geometry of a derived surface: position and normal f32[n*3] (the mesh's own arrays, not
 * copies), indices u16 up to 65,535 vertices and u32 above. It belongs to no mesh yet.
 */
export function createGeometry(name: string, scene: Scene, surface: SurfaceMesh): Geometry {
  const geometry = new Geometry(name, scene);
  fillGeometry(geometry, surface);
  return geometry;
}

/** Puts another surface in a geometry; every mesh that shares it follows, its bounding box too. */
export function fillGeometry(geometry: Geometry, surface: SurfaceMesh): void {
  // What a surface on the GPU left there: bounds, and a count of indices that Babylon would go on with.
  geometry.useBoundingInfoFromGeometry = false;
  delete (geometry as unknown as { _totalIndices?: number })._totalIndices;
  if (surface.indices.length === 0) {
    emptyGeometry(geometry);
    return;
  }
  geometry.setVerticesData(VertexBuffer.PositionKind, surface.positions, false, 3);
  geometry.setVerticesData(VertexBuffer.NormalKind, surface.normals, false, 3);
  geometry.setIndices(packIndices(surface), surface.positions.length / 3);
}

/** Without vertices rather than with none of them: Babylon makes boxes of infinite size of the latter. */
function emptyGeometry(geometry: Geometry): void {
  geometry.removeVerticesData(VertexBuffer.PositionKind);
  geometry.removeVerticesData(VertexBuffer.NormalKind);
  if (geometry.getTotalIndices() > 0) geometry.setIndices([], 0);
}
