import { Box3, BufferAttribute, BufferGeometry, Sphere } from 'three';
import type { DeriveOptions, DeriveResult, DeriveStats, FieldAsset, SurfaceMesh, Vec3 } from '../index.ts';
import { deriveMesh } from '../index.ts';
import { namedAttributes, packIndices } from '../plugin/geometry.ts';

/** A derived surface as three draws it. */
export interface DerivedGeometry {
  readonly geometry: BufferGeometry;
  readonly stats: DeriveStats;
  readonly isEmpty: boolean;
  /** Where the geometry lies in the object's space; see `SurfaceMesh.origin`. */
  readonly origin?: Vec3 | undefined;
}

/** Where a derived surface is to be. */
export interface OutputSettings {
  /** See `FieldSettings.output`. */
  readonly output?: 'cpu' | 'gpu';
  /** The renderer that draws what stays on the GPU: a `WebGPURenderer`. */
  readonly renderer?: object;
}

/**
 * Derives a surface as it is asked for beside levels of detail, and makes the geometry where it is asked for.
 * @throws what `deriveMesh` throws
 */
export async function deriveGeometry(
  asset: FieldAsset,
  { output, renderer, lod: _lod, ...options }: DeriveOptions & OutputSettings & { readonly lod?: unknown },
): Promise<DerivedGeometry> {
  if (output !== 'gpu') return geometryOf(await deriveMesh(asset, options), asset.name);
  const { deriveGpuGeometry } = await import('./gpu-geometry.ts');
  return deriveGpuGeometry(asset, options, renderer);
}

export function geometryOf({ mesh, stats, isEmpty }: DeriveResult, name: string): DerivedGeometry {
  return { geometry: createGeometry(mesh, name), stats, isEmpty, origin: mesh.origin };
}

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
