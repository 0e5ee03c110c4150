import type { DeriveProgress, FieldAsset, LoadFieldsOptions, MeshFields } from '../index.ts';
import { decodeFieldHints, EXTENSION_NAME, loadNeuralField, neuralFieldBufferViews } from '../index.ts';
import { shareNetwork } from './networks.ts';
import type { NSDFProgress } from './settings.ts';

/** The parts of a glTF file that fields are read from. */
export interface GltfJson {
  readonly meshes?: readonly MeshDef[];
  readonly nodes?: readonly NodeDef[];
  readonly accessors?: readonly { readonly bufferView?: number; readonly sparse?: unknown }[];
  readonly bufferViews?: readonly unknown[];
  readonly buffers?: readonly { readonly uri?: unknown }[];
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
interface PrimitivePlace {
  readonly meshIndex: number;
  readonly primitiveIndex: number;
}

export function carriesField(primitive: PrimitiveDef): boolean {
  return primitive.extensions?.[EXTENSION_NAME] !== undefined;
}

/** Whether a primitive carries a field that has colours. */
export function isColored({ extensions }: PrimitiveDef): boolean {
  const { attributes } = (extensions?.[EXTENSION_NAME] ?? {}) as {
    attributes?: { COLOR_0?: unknown } | null;
  };
  return attributes?.COLOR_0 !== undefined;
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
 * @param fields those of the file, where they are decoded already.
 * @throws {NsdfFormatError} and {NsdfUnsupportedError}, with the place in the JSON.
 */
export async function readGltfField(
  json: GltfJson,
  { meshIndex, primitiveIndex }: PrimitivePlace,
  loadBufferView: (index: number) => Promise<Uint8Array>,
  { fields, ...options }: LoadFieldsOptions & { readonly fields?: MeshFields | undefined } = {},
): Promise<FieldAsset> {
  const mesh = json.meshes?.[meshIndex];
  const nBefore = mesh?.primitives.slice(0, primitiveIndex).filter(carriesField).length ?? 0;
  const decoded = fields?.[meshIndex]?.[nBefore];
  if (decoded) return decoded;
  const extension = mesh?.primitives[primitiveIndex].extensions?.[EXTENSION_NAME];
  const named = {
    ...(mesh?.name && { name: mesh.name }),
    path: `/meshes/${meshIndex}/primitives/${primitiveIndex}/extensions/${EXTENSION_NAME}`,
  };
  const indices = neuralFieldBufferViews(extension).filter(
    (index) => json.bufferViews?.[index] !== undefined,
  );
  const load = async (): Promise<FieldAsset> => {
    const bufferViews = new Map<number, Uint8Array>();
    await Promise.all(indices.map(async (index) => bufferViews.set(index, await loadBufferView(index))));
    return loadNeuralField(extension, (index) => bufferViews.get(index) ?? null, { ...named, ...options });
  };
  const { sha256 } = (extension ?? {}) as { sha256?: unknown };
  const isBeside = indices.length > 0 && indices.every((index) => liesBeside(json, index));
  if (typeof sha256 !== 'string' || !isBeside) return load();
  return decodeFieldHints(extension, await shareNetwork(sha256, load), named);
}

/** Whether a bufferView lies in a buffer of its own address, which other files may have in common with this one. */
function liesBeside({ bufferViews = [], buffers = [] }: GltfJson, index: number): boolean {
  const { buffer } = (bufferViews[index] ?? {}) as { readonly buffer?: number };
  return buffers[buffer ?? -1]?.uri !== undefined;
}

/** Adds up the derivations of one file, whose fields finish in any order. */
export class FileProgress {
  private readonly _nFields: number;
  private readonly _listener: ((progress: NSDFProgress) => void) | undefined;
  /** Finished fraction of each field's derivation, by its key. */
  private readonly _fractions = new Map<string, number>();

  constructor(nFields: number, listener: ((progress: NSDFProgress) => void) | undefined) {
    this._nFields = nFields;
    this._listener = listener;
  }

  /** The `onProgress` of one field's derivation; undefined where nobody listens. */
  of(key: string, fieldName: string): ((progress: DeriveProgress) => void) | undefined {
    if (!this._listener) return undefined;
    return ({ stage, fraction }) => {
      this._fractions.set(key, fraction);
      const done = [...this._fractions.values()].reduce((sum, part) => sum + part, 0);
      this._listener?.({ phase: 'derive', fraction: Math.min(1, done / this._nFields), stage, fieldName });
    };
  }
}
