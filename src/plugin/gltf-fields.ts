import type { FieldAsset } from '../index.ts';
import { decodeNeuralField, EXTENSION_NAME, neuralFieldBufferViews } from '../index.ts';

/** The parts of a glTF file that fields are read from. */
export interface GltfJson {
  readonly meshes?: readonly MeshDef[];
  readonly nodes?: readonly NodeDef[];
  readonly accessors?: readonly { readonly bufferView?: number; readonly sparse?: unknown }[];
  readonly bufferViews?: readonly unknown[];
}

export interface MeshDef {
  readonly name?: string;
  readonly primitives: readonly PrimitiveDef[];
}

export interface PrimitiveDef {
  readonly attributes?: Readonly<Record<string, number>>;
  readonly material?: number;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

interface NodeDef {
  readonly mesh?: number;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Where a primitive stands in the file. */
export interface PrimitivePlace {
  readonly meshIndex: number;
  readonly primitiveIndex: number;
}

export function carriesField(primitive: PrimitiveDef): boolean {
  return primitive.extensions?.[EXTENSION_NAME] !== undefined;
}

/** How many fields the file's meshes carry. */
export function countFields({ meshes = [] }: GltfJson): number {
  return meshes.flatMap((mesh) => mesh.primitives).filter(carriesField).length;
}

/** Whether a primitive holds a fallback mesh; an accessor without data states the bounds alone. */
export function hasFallback({ accessors = [] }: GltfJson, { attributes }: PrimitiveDef): boolean {
  const position = accessors[attributes?.POSITION ?? -1];
  return position?.bufferView !== undefined || position?.sparse !== undefined;
}

/** Whether some node draws this mesh many times by EXT_mesh_gpu_instancing. */
export function isInstanced({ nodes = [] }: GltfJson, meshIndex: number): boolean {
  return nodes.some((node) => node.mesh === meshIndex && node.extensions?.EXT_mesh_gpu_instancing);
}

/**
 * Decodes the field of a primitive.
 * @param loadBufferView gives the bytes of a bufferView that exists: the engine's glTF loader knows where they lie.
 * @throws {NsdfFormatError} and {NsdfUnsupportedError}, with the place in the JSON.
 */
export async function readGltfField(
  json: GltfJson,
  { meshIndex, primitiveIndex }: PrimitivePlace,
  loadBufferView: (index: number) => Promise<Uint8Array>,
): Promise<FieldAsset> {
  const mesh = json.meshes?.[meshIndex];
  const extension = mesh?.primitives[primitiveIndex].extensions?.[EXTENSION_NAME];
  const bufferViews = new Map<number, Uint8Array>();
  const indices = neuralFieldBufferViews(extension).filter(
    (index) => json.bufferViews?.[index] !== undefined,
  );
  await Promise.all(indices.map(async (index) => bufferViews.set(index, await loadBufferView(index))));
  return decodeNeuralField(extension, (index) => bufferViews.get(index) ?? null, {
    ...(mesh?.name && { name: mesh.name }),
    path: `/meshes/${meshIndex}/primitives/${primitiveIndex}/extensions/${EXTENSION_NAME}`,
  });
}
