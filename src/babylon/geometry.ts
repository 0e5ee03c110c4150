import type { AssetContainer } from '@babylonjs/core/assetContainer.js';
import { VertexBuffer } from '@babylonjs/core/Buffers/buffer.js';
import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { DeriveOptions, DeriveStats, FieldAsset, SurfaceMesh } from '../index.ts';
import { deriveMesh } from '../index.ts';
import { namedAttributes, packIndices } from '../plugin/geometry.ts';
import { withDevice } from './scene.ts';

/** Where a derived surface is to be: see `FieldSettings.output`. */
export type OutputSettings = { readonly output?: 'cpu' | 'gpu' };

/** A surface that was derived. */
export interface DerivedSurface {
  readonly stats: DeriveStats;
  readonly isEmpty: boolean;
  /** Puts it in a geometry of that engine. */
  readonly fill: (geometry: Geometry) => void;
  /** Frees it, where it is not wanted any more. */
  readonly discard: () => void;
}

/**
 * Derives a surface, on the engine's device where it has one.
 * @throws what `deriveMesh` throws
 */
export async function deriveSurface(
  asset: FieldAsset,
  { output, ...options }: DeriveOptions & OutputSettings,
  engine: AbstractEngine,
): Promise<DerivedSurface> {
  const own = withDevice(options, engine);
  if (output === 'gpu') {
    const { deriveGpuSurface } = await import('./gpu-geometry.ts');
    return deriveGpuSurface(asset, own, engine);
  }
  const { mesh, stats, isEmpty } = await deriveMesh(asset, own);
  return { stats, isEmpty, fill: (target) => fillGeometry(target, mesh), discard: () => {} };
}

/**
 * Makes plain indexed geometry of a derived surface: position and normal f32[n*3] (the mesh's own arrays, not
 * copies), indices u16 up to 65,535 vertices and u32 above. Colours stay linear, as PBR materials and Babylon's own glTF
 * loader have them; attributes that Babylon has no name for keep glTF's. It belongs to no mesh yet.
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
  const attributes = namedAttributes(surface);
  const kinds = attributes.map(({ name }) => kindOf(name));
  for (const kind of geometry.getVerticesDataKinds()) {
    if (!OWN_KINDS.includes(kind) && !kinds.includes(kind)) geometry.removeVerticesData(kind);
  }
  attributes.forEach(({ values, width }, i) => {
    geometry.setVerticesData(kinds[i], values, false, width);
  });
  geometry.setIndices(packIndices(surface), surface.positions.length / 3);
}

const OWN_KINDS: readonly string[] = [VertexBuffer.PositionKind, VertexBuffer.NormalKind];

function kindOf(name: string): string {
  if (name === 'COLOR_0') return VertexBuffer.ColorKind;
  const set = /^TEXCOORD_(\d+)$/.exec(name)?.[1];
  if (set === undefined) return name;
  return set === '0' ? VertexBuffer.UVKind : `${VertexBuffer.UVKind}${Number(set) + 1}`;
}

/** What of Babylon's is not public: the container that a geometry was loaded into. */
interface Contained {
  _parentContainer: AssetContainer | null;
}

/**
 * Has a mesh show another geometry; all else about it stays. The scene's list, and that of the container it was loaded
 * into, have the geometries that are shown alone.
 */
export function exchangeGeometry(mesh: Mesh, geometry: Geometry): void {
  const before = mesh.geometry;
  if (before === geometry) return;
  // Babylon keeps parts of the old geometry's extent where the new one has as many indices or more.
  mesh.releaseSubMeshes();
  geometry.applyToMesh(mesh);
  const container = (before as unknown as Contained | null)?._parentContainer;
  if (container && !container.geometries.includes(geometry)) container.geometries.push(geometry);
  if (container) (geometry as unknown as Contained)._parentContainer = container;
  if (!before || before.meshes.length > 0) return;
  mesh.getScene().removeGeometry(before);
  if (container) container.geometries = container.geometries.filter((other) => other !== before);
}

/** Without vertices rather than with none of them: Babylon makes boxes of infinite size of the latter. */
function emptyGeometry(geometry: Geometry): void {
  for (const kind of geometry.getVerticesDataKinds()) geometry.removeVerticesData(kind);
  if (geometry.getTotalIndices() > 0) geometry.setIndices([], 0);
}
