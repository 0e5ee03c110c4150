import { Box3, BufferAttribute, BufferGeometry, Sphere, Vector3 } from 'three';
import { IndirectStorageBufferAttribute } from 'three/webgpu';
import type { DeriveOptions, FieldAsset, GpuMesh } from '../index.ts';
import { deriveForGpu } from '../plugin/gpu-output.ts';
import { type DerivedGeometry, geometryOf } from './geometry.ts';

/** What of a WebGPURenderer is used; the backend is not in three's types. */
interface RendererLike {
  init?: () => Promise<unknown>;
  readonly backend?: BackendLike;
}

interface BackendLike {
  readonly isWebGPUBackend?: boolean;
  readonly device?: GPUDevice | null;
  /** What the backend keeps of an attribute. */
  get?(attribute: BufferAttribute): { buffer?: GPUBuffer };
  createAttribute?(attribute: BufferAttribute): void;
  createIndexAttribute?(attribute: BufferAttribute): void;
  createIndirectStorageAttribute?(attribute: BufferAttribute): void;
}

/**
 * Derives a surface that stays on the renderer's device, as a geometry that draws from there; or reads it back, see
 * `FieldSettings.output`.
 * @throws what `deriveMesh` throws
 */
export async function deriveGpuGeometry(
  asset: FieldAsset,
  options: DeriveOptions,
  renderer: object | undefined,
): Promise<DerivedGeometry> {
  const place = await placeOf(renderer as RendererLike | undefined);
  const device = typeof place === 'string' ? place : (place.device as GPUDevice);
  const output = await deriveForGpu(asset, options, device);
  if ('readBack' in output) return geometryOf(output.readBack, asset.name);
  const { onGpu } = output;
  if (onGpu.nTriangles === 0) {
    onGpu.dispose();
    return {
      geometry: Object.assign(new BufferGeometry(), { name: asset.name }),
      stats: onGpu.stats,
      isEmpty: true,
    };
  }
  const geometry = adopt(onGpu, place as BackendLike);
  if (geometry) {
    geometry.name = asset.name;
    return { geometry, stats: onGpu.stats, isEmpty: false, origin: onGpu.origin };
  }
  onGpu.dispose();
  const changed = 'this version of three takes no buffers of others';
  const other = await deriveForGpu(asset, options, changed);
  return geometryOf((other as Extract<typeof other, { readBack: unknown }>).readBack, asset.name);
}

/** The renderer's backend, or why it cannot draw from buffers of ours. */
async function placeOf(renderer: RendererLike | undefined): Promise<BackendLike | string> {
  if (!renderer) return 'no renderer was given';
  // Only then is it known what it draws with.
  await renderer.init?.();
  const { backend } = renderer;
  if (!backend?.isWebGPUBackend || !backend.device) return 'the renderer draws with WebGL';
  return backend;
}

/**
 * A geometry over the mesh's buffers, drawn indirectly; null where three does not take them. Its dispose() frees them.
 *
 * three makes a GPU buffer for every attribute that has none in its backend's own record of it. That record is not public:
 * what is put there is made sure of.
 */
function adopt(mesh: GpuMesh, backend: BackendLike): BufferGeometry | null {
  const position = emptyAttribute(new Float32Array(0), 3, mesh.nVertices);
  const normal = emptyAttribute(new Float32Array(0), 3, mesh.nVertices);
  const index = emptyAttribute(new Uint32Array(0), 1, 3 * mesh.nTriangles);
  const draw = new IndirectStorageBufferAttribute(new Uint32Array(5), 5);
  const isTaken =
    take(backend, position, mesh.positions, 'createAttribute') &&
    take(backend, normal, mesh.normals, 'createAttribute') &&
    take(backend, index, mesh.indices, 'createIndexAttribute') &&
    take(backend, draw, mesh.drawArguments, 'createIndirectStorageAttribute');
  if (!isTaken) return null;
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', position);
  geometry.setAttribute('normal', normal);
  geometry.setIndex(index);
  geometry.setIndirect(draw);
  const { min, max } = mesh.bounds ?? { min: [0, 0, 0], max: [0, 0, 0] };
  geometry.boundingBox = new Box3(new Vector3(...min), new Vector3(...max));
  geometry.boundingSphere = geometry.boundingBox.getBoundingSphere(new Sphere());
  geometry.userData.nsdf = { isOnGpu: true };
  geometry.addEventListener('dispose', () => mesh.dispose());
  return geometry;
}

/** An attribute without values here. */
function emptyAttribute(values: Float32Array | Uint32Array, size: number, count: number): BufferAttribute {
  return Object.assign(new BufferAttribute(values, size), { count });
}

type Create = 'createAttribute' | 'createIndexAttribute' | 'createIndirectStorageAttribute';

/** Gives an attribute its buffer; false where the backend would make one of its own all the same. */
function take(backend: BackendLike, attribute: BufferAttribute, buffer: GPUBuffer, create: Create): boolean {
  if (typeof backend.get !== 'function' || typeof backend[create] !== 'function') return false;
  backend.get(attribute).buffer = buffer;
  backend[create](attribute);
  return backend.get(attribute).buffer === buffer;
}
