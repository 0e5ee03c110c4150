import { NsdfFormatError, NsdfUnsupportedError } from '../../errors.ts';
import type { JsonObject } from '../../format/json-object.ts';

/** Of meshoptimizer: decodes bufferViews. */
type MeshoptDecoder = typeof import('meshoptimizer')['MeshoptDecoder'];
/** Of draco3dgltf: decodes whole primitives. */
type DracoDecoder = Awaited<ReturnType<typeof import('draco3dgltf')['default']['createDecoderModule']>>;

/** Decoders of compressed glTF, those that a file asks for. */
export interface GltfCodecs {
  readonly meshopt: MeshoptDecoder | null;
  readonly draco: DracoDecoder | null;
}

/** Extensions by which a bufferView says that it is compressed; the second is the first, ratified. */
export const MESHOPT_EXTENSIONS = ['EXT_meshopt_compression', 'KHR_meshopt_compression'] as const;
export const DRACO_EXTENSION = 'KHR_draco_mesh_compression';

/**
 * Loads the decoders that a file asks for. They are no dependencies: whoever reads such files installs them.
 * @param load how; for tests.
 * @throws {NsdfUnsupportedError} if one is not there, with what to install.
 */
export async function loadGltfCodecs(
  extensionsUsed: readonly unknown[],
  load: typeof loadOptional = loadOptional,
): Promise<GltfCodecs> {
  const meshopt = MESHOPT_EXTENSIONS.find((name) => extensionsUsed.includes(name));
  const draco = extensionsUsed.includes(DRACO_EXTENSION);
  return {
    meshopt: meshopt === undefined ? null : await loadMeshopt(meshopt, load),
    draco: draco ? await loadDraco(load) : null,
  };
}

async function loadMeshopt(extension: string, load: typeof loadOptional): Promise<MeshoptDecoder> {
  const { MeshoptDecoder } = (await load('meshoptimizer')) ?? missing('meshoptimizer', extension);
  await MeshoptDecoder.ready;
  return MeshoptDecoder;
}

async function loadDraco(load: typeof loadOptional): Promise<DracoDecoder> {
  const draco = (await load('draco3dgltf')) ?? missing('draco3dgltf', DRACO_EXTENSION);
  return draco.createDecoderModule({});
}

function missing(name: OptionalPackage, extension: string): never {
  const advice = `\`npm install ${name}\` beside nsdf-loader, or save the file without it`;
  throw new NsdfUnsupportedError(extension, `the file is compressed (${extension}): ${advice}`);
}

/** A bufferView that meshopt has compressed. @throws {NsdfFormatError} if it cannot be decoded. */
export function decodeMeshoptView(
  decoder: MeshoptDecoder,
  json: JsonObject,
  source: Uint8Array,
  layout: { readonly count: number; readonly byteStride: number },
): Uint8Array {
  const bytes = new Uint8Array(layout.count * layout.byteStride);
  const [mode, filter] = [json.text('mode') ?? '', json.text('filter', 'NONE') ?? ''];
  try {
    decoder.decodeGltfBuffer(bytes, layout.count, layout.byteStride, source, mode, filter);
  } catch (cause) {
    const found = `${(cause as Error).message}, mode ${mode.slice(0, 20)}, filter ${filter.slice(0, 20)}`;
    throw new NsdfFormatError(`a bufferView cannot be decoded by meshopt: ${found}`, {
      field: json.path,
      cause,
    });
  }
  return bytes;
}

/** Positions and triangles of a primitive that Draco has compressed. @throws {NsdfFormatError} if it cannot be decoded. */
export function decodeDracoMesh(
  draco: DracoDecoder,
  bytes: Uint8Array,
  positionId: number,
  path: string,
): { positions: Float64Array; indices: Uint32Array } {
  const fail = (what: string): never => {
    throw new NsdfFormatError(`a primitive cannot be decoded by Draco: ${what}`, { field: path });
  };
  const decoder = new draco.Decoder();
  const mesh = new draco.Mesh();
  const values = new draco.DracoFloat32Array();
  try {
    const status = decoder.DecodeArrayToMesh(bytes, bytes.length, mesh);
    if (!status.ok()) fail(status.error_msg());
    const attribute = decoder.GetAttributeByUniqueId(mesh, positionId);
    const nVertices = mesh.num_points();
    if (!decoder.GetAttributeFloatForAllPoints(mesh, attribute, values) || values.size() !== 3 * nVertices) {
      fail(`it has no positions of number ${positionId}`);
    }
    const nIndices = 3 * mesh.num_faces();
    const at = draco._malloc(4 * nIndices);
    decoder.GetTrianglesUInt32Array(mesh, 4 * nIndices, at);
    const indices = new Uint32Array(draco.HEAPF32.buffer, at, nIndices).slice();
    draco._free(at);
    return { positions: Float64Array.from({ length: 3 * nVertices }, (_, i) => values.GetValue(i)), indices };
  } finally {
    for (const thing of [values, mesh, decoder]) draco.destroy(thing);
  }
}

/** Packages that the command line uses where they are installed beside it, and does without where they are not. */
const LOADERS = {
  meshoptimizer: async () => import('meshoptimizer'),
  draco3dgltf: async () => (await import('draco3dgltf')).default,
} as const;

export type OptionalPackage = keyof typeof LOADERS;
type Loaded<N extends OptionalPackage> = Awaited<ReturnType<(typeof LOADERS)[N]>>;

/** The module, or null where the package is not installed. */
export async function loadOptional<N extends OptionalPackage>(name: N): Promise<Loaded<N> | null> {
  try {
    return (await LOADERS[name]()) as Loaded<N>;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw cause;
  }
}
