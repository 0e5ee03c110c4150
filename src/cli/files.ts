import { readFile, realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { NsdfArgumentError, NsdfFormatError, NsdfLoadError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { alignedBytes, isGlb, nameForeignBytes, parseJsonText } from '../format/bytes.ts';
import { packGlb } from '../format/glb.ts';
import { inlineBuffers, isBesideFile, listExternalBuffers } from '../format/gltf-buffers.ts';
import { readNsdf } from '../format/read.ts';
import { listFields, type NsdfScene } from '../format/scene.ts';
import { sceneOf } from '../format/write.ts';
import { importSafetensors } from '../import/index.ts';
import { localPositions } from '../surface/mesh.ts';
import type { ColoredTriangles } from '../train/index.ts';
import { listImages } from './mesh-files/gltf-colors.ts';
import { readGltfScene } from './mesh-files/gltf-scene.ts';
import { type MeshData, type MeshFormat, meshFormatOf } from './mesh-files/index.ts';

/** How far a file may reach. */
export interface ReadingOptions {
  /** Follow buffers that lie elsewhere than in the file's folder or below it. */
  readonly allowOutside?: boolean;
}

/** A buffer beside a file may be as long as this. */
const MAX_BUFFER_BYTES = 2 ** 31;

/** Runs a job on a file's content; its errors come with the path in front. */
async function inFile<T>(path: string, options: ReadingOptions, job: (bytes: Uint8Array) => T): Promise<T> {
  return named(path, job, await readSelfContained(path, options));
}

function named<T>(path: string, job: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return job(bytes);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new NsdfLoadError(`${path}: ${message}`, { cause });
  }
}

/**
 * A GLB with the buffers that lie beside it in it, as the tiles of `nsdf tile` have them.
 * @param read the file's own bytes, where they are read already
 * @throws Node's error if one cannot be read.
 */
export async function readSelfContained(
  path: string,
  options: ReadingOptions = {},
  read?: Uint8Array,
): Promise<Uint8Array> {
  const bytes = read ?? (await readBytes(path));
  const byUri = await readBeside(bytes, path, options);
  return byUri.size === 0 ? bytes : named(path, (file) => inlineBuffers(file, byUri), bytes);
}

/** The buffers that a GLB names, by URI. */
async function readBeside(
  bytes: Uint8Array,
  path: string,
  options: ReadingOptions,
): Promise<Map<string, Uint8Array>> {
  const byUri = new Map<string, Uint8Array>();
  for (const uri of listExternalBuffers(bytes)) byUri.set(uri, await readUri(uri, path, options));
  return byUri;
}

/**
 * A file beside another one, or the bytes that a data URI holds.
 * @throws {NsdfLoadError} for anything else: a file names what it likes, `/dev/zero` and `file:///etc/passwd` too.
 */
async function readUri(uri: string, owner: string, { allowOutside }: ReadingOptions): Promise<Uint8Array> {
  const shown = uri.length > 100 ? `${uri.slice(0, 97)}...` : uri;
  const refuse = (why: string): never => {
    throw new NsdfLoadError(`${owner}: it names a buffer, ${shown}, ${why}`);
  };
  const base = pathToFileURL(owner).href;
  if (!URL.canParse(uri, base)) refuse('which is no URI');
  const url = new URL(uri, base);
  if (url.protocol === 'data:') return new Uint8Array(await (await fetch(url)).arrayBuffer());
  if (url.protocol !== 'file:' || url.host !== '') refuse('which is no file here: expected one beside it');
  const outside = 'outside its own folder: give --allow-outside where that is meant';
  if (!allowOutside && !isBesideFile(uri, base)) refuse(outside);
  const path = fileURLToPath(url);
  // Links are followed: a folder may have been made to hold one.
  const [target, folder] = await Promise.all([
    realPath(path, owner),
    realPath(fileURLToPath(new URL('.', base)), owner),
  ]);
  const real = pathToFileURL(target).href;
  if (!allowOutside && !isBesideFile(real, pathToFileURL(`${folder}/file`).href)) refuse(outside);
  const { size } = await regularFile(target, refuse);
  if (size > MAX_BUFFER_BYTES) refuse(`of ${size} bytes: at most ${MAX_BUFFER_BYTES} are read`);
  return readBytes(target);
}

async function realPath(path: string, owner: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw new NsdfLoadError(`${owner}: ${(cause as Error).message}`, { cause });
  }
}

async function regularFile(path: string, refuse: (why: string) => never): Promise<{ readonly size: number }> {
  const found = await stat(path);
  return found.isFile() ? found : refuse('which is no regular file');
}

/**
 * A file's bytes, or those of standard input for `-`.
 * @throws {NsdfLoadError} with the path if it cannot be read
 * @throws {NsdfArgumentError} if standard input was read before
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  if (path === '-') return readStandardInput();
  try {
    return alignedBytes(await readFile(path));
  } catch (cause) {
    // Node's own message names the path of a file that is not there, and not that of a folder.
    const message = (cause as Error).message;
    throw new NsdfLoadError(message.includes(path) ? message : `${path}: ${message}`, { cause });
  }
}

async function readStandardInput(): Promise<Uint8Array> {
  if (process.stdin.readableDidRead) {
    throw new NsdfArgumentError('in', '- stands for two files: standard input can be read once');
  }
  return alignedBytes(await buffer(process.stdin));
}

/** The scene in a .nsdf, or the one field of a .safetensors as a scene; told apart by their first bytes, then by name. */
export async function readScene(path: string, options: ReadingOptions = {}): Promise<NsdfScene> {
  return sceneIn(path, await readSelfContained(path, options));
}

/** The scene that a file's bytes hold; see `readScene`. */
export function sceneIn(path: string, bytes: Uint8Array): NsdfScene {
  return named(
    path,
    () => {
      if (isGlb(bytes) || /\.(nsdf|glb)$/i.test(path)) return readNsdf(bytes);
      const name = path === '-' ? 'field' : basename(path).replace(/\.[^.]*$/, '');
      return sceneOf(importSafetensors(bytes, { name }));
    },
    bytes,
  );
}

/**
 * One field of a file, and how many there are; in the order of the scene.
 * @throws {NsdfArgumentError} if there is no field of that number.
 */
export async function readField(
  path: string,
  index = 0,
  options: ReadingOptions = {},
): Promise<{ asset: FieldAsset; nFields: number }> {
  const fields = listFields(await readScene(path, options));
  if (index < fields.length) return { asset: fields[index].field.asset, nFields: fields.length };
  const found = `${fields.length} field${fields.length === 1 ? '' : 's'} in its scene`;
  throw new NsdfArgumentError('index', `${path}: there is no field ${index}: ${found}`);
}

/**
 * @param formatName the name of its format; default: what the path ends in
 * @throws {NsdfArgumentError} if that is none of glb, ply, obj, stl
 */
export async function readMesh(
  path: string,
  formatName?: string,
  options: ReadingOptions = {},
): Promise<MeshData> {
  const format = meshFormatOf(path, formatName);
  return inFile(path, options, (bytes) => readAs(format, bytes));
}

/**
/**
 * All triangles of a mesh file where it shows them, in double precision: of a glTF those of its scene, where its nodes put them.
 * @param path .glb, .gltf, .ply, .obj or .stl; a .gltf's buffers and images lie beside it.
 * @param options `colour`: with what they look like, where the file says it.
 * @throws {NsdfArgumentError} for other endings.
 * @throws {NsdfLoadError} with the path in front of what is wrong with the file.
 */
export async function readTriangles(
  path: string,
  options: ReadingOptions & { readonly colour?: boolean } = {},
): Promise<ColoredTriangles[]> {
  const isText = /\.gltf$/i.test(path);
  if (!isText && meshFormatOf(path) !== meshFormatOf('x.glb')) {
    const mesh = await readMesh(path, undefined, options);
    const colors = options.colour && mesh.colors;
    return [{ positions: localPositions(mesh), indices: mesh.indices, ...(colors && { colors }) }];
  }
  const read = await readBytes(path);
  const glb = isText ? named(path, gltfAsGlb, read) : read;
  const buffers = await readBeside(glb, path, options);
  const images = new Map<string, Uint8Array>();
  const uris = options.colour ? listImages(glb) : [];
  for (const uri of uris) images.set(uri, await readUri(uri, path, options));
  try {
    return await readGltfScene(glb, buffers, options.colour ? images : undefined);
  } catch (cause) {
    throw new NsdfLoadError(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/** A glTF as text, in the container of its binary form. */
function gltfAsGlb(bytes: Uint8Array): Uint8Array {
  return packGlb(parseJsonText(bytes, 0), new Uint8Array(0));
}

/** What is no mesh of its format may be something else that has a name. */
function readAs(format: MeshFormat, bytes: Uint8Array): MeshData {
  try {
    return format.read(bytes);
  } catch (cause) {
    const foreign = cause instanceof NsdfFormatError ? nameForeignBytes(bytes) : null;
    if (foreign === null || (cause as Error).message.includes(foreign.what)) throw cause;
    throw new NsdfFormatError(`the file is ${foreign.what}: ${foreign.advice}`, { byteOffset: 0, cause });
  }
}
