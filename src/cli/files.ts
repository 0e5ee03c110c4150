import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { NsdfArgumentError, NsdfLoadError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { inlineBuffers, listExternalBuffers } from '../format/external-buffers.ts';
import { listFields } from '../format/instances.ts';
import { readNsdf } from '../format/read.ts';
import type { NsdfScene } from '../format/scene.ts';
import { sceneOf } from '../format/write.ts';
import { importSafetensors } from '../import/index.ts';
import { type MeshData, meshFormatOf } from './mesh-files/index.ts';

/** Runs a job on a file's content; its errors come with the path in front. */
async function inFile<T>(path: string, job: (bytes: Uint8Array) => T): Promise<T> {
  return named(path, job, await readSelfContained(path));
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
export async function readSelfContained(path: string, read?: Uint8Array): Promise<Uint8Array> {
  const bytes = read ?? (await readBytes(path));
  const uris = listExternalBuffers(bytes);
  if (uris.length === 0) return bytes;
  const buffers = uris.map(async (uri) => [uri, await readUri(uri, path)] as const);
  const byUri = new Map(await Promise.all(buffers));
  return named(path, (file) => inlineBuffers(file, byUri), bytes);
}

/** A file beside another one, or the bytes that a data URI holds. */
async function readUri(uri: string, owner: string): Promise<Uint8Array> {
  const url = new URL(uri, pathToFileURL(owner));
  if (url.protocol === 'file:') return readFile(url);
  if (url.protocol === 'data:') return new Uint8Array(await (await fetch(url)).arrayBuffer());
  throw new NsdfLoadError(`${owner}: its buffer lies at ${uri}: expected a file beside it`);
}

/**
 * A file's bytes, or those of standard input for `-`.
 * @throws {NsdfLoadError} with the path if it cannot be read
 * @throws {NsdfArgumentError} if standard input was read before
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  if (path === '-') return readStandardInput();
  try {
    return await readFile(path);
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
  return new Uint8Array(await buffer(process.stdin));
}

/** True for a GLB, which every .nsdf is; safetensors start with a length. */
function isGlb(bytes: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(bytes.subarray(0, 4)) === 'glTF';
}

/** The scene in a .nsdf, or the one field of a .safetensors as a scene; told apart by their first bytes, then by name. */
export async function readScene(path: string): Promise<NsdfScene> {
  return sceneIn(path, await readSelfContained(path));
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
export async function readField(path: string, index = 0): Promise<{ asset: FieldAsset; nFields: number }> {
  const fields = listFields(await readScene(path));
  if (index < fields.length) return { asset: fields[index].field.asset, nFields: fields.length };
  const found = `${fields.length} field${fields.length === 1 ? '' : 's'} in its scene`;
  throw new NsdfArgumentError('index', `${path}: there is no field ${index}: ${found}`);
}

/**
 * @param format the name of its format; default: what the path ends in
 * @throws {NsdfArgumentError} if that is none of glb, ply, obj, stl
 */
export function readMesh(path: string, formatName?: string): Promise<MeshData> {
  const format = meshFormatOf(path, formatName);
  return inFile(path, (bytes) => format.read(bytes));
}
