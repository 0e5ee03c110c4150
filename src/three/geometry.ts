import { Box3, BufferAttribute, BufferGeometry, Sphere } from 'three';
import type { SurfaceMesh } from '../index.ts';
import { namedAttributes } from '../plugin/named-attributes.ts';
import { packIndices } from '../plugin/pack-indices.ts';

/**
 * Makes plain indexed geometry of a derived surface: `position` and `normal` f32[n*3] (the mesh's own arrays, not
 * copies), `index` u16 up to 65,535 vertices and u32 above, bounding box and sphere set. Attributes have the names that
 * three's own GLTFLoader gives them: `color`, `uv`, `_temperature`.
 */
export function createGeometry(mesh: SurfaceMesh, name = ''): BufferGeometry {
  const geometry = new BufferGeometry();
  geometry.name = name;
  geometry.setAttribute('position', new BufferAttribute(mesh.positions, 3));
  geometry.setAttribute('normal', new BufferAttribute(mesh.normals, 3));
  for (const { name, values, width } of namedAttributes(mesh)) {
    geometry.setAttribute(threeName(name), new BufferAttribute(values, width));
  }
  geometry.setIndex(new BufferAttribute(packIndices(mesh), 1));
  setBounds(geometry, mesh.positions);
  return geometry;
}

function threeName(name: string): string {
  if (name === 'COLOR_0') return 'color';
  const set = /^TEXCOORD_(\d+)$/.exec(name)?.[1];
  if (set === undefined) return name.toLowerCase();
  return set === '0' ? 'uv' : `uv${set}`;
}

/** The sphere is centred in the box; an empty surface gets an empty box and a sphere of radius zero. */
function setBounds(geometry: BufferGeometry, positions: Float32Array): void {
  const box = new Box3().setFromArray(positions);
  const sphere = new Sphere();
  box.getCenter(sphere.center);
  const { x, y, z } = sphere.center;
  let radiusSquared = 0;
  for (let i = 0; i < positions.length; i += 3) {
    const dx = positions[i] - x;
    const dy = positions[i + 1] - y;
    const dz = positions[i + 2] - z;
    radiusSquared = Math.max(radiusSquared, dx * dx + dy * dy + dz * dz);
  }
  sphere.radius = Math.sqrt(radiusSquared);
  geometry.boundingBox = box;
  geometry.boundingSphere = sphere;
}
