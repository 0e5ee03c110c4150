import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { NsdfArgumentError, NsdfLoadError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { listFields } from '../format/instances.ts';
import { readNsdf } from '../format/read.ts';
import type { NsdfScene } from '../format/scene.ts';
import { sceneOf } from '../format/write.ts';
import { importSafetensors } from '../import/index.ts';
import { type MeshData, meshFormatOf } from './mesh-files/index.ts';

/** Runs a job on a file's content; its errors come with the path in front. */
async function inFile<T>(path: string, job: (bytes: Uint8Array) => T): Promise<T> {
  const bytes = await readFile(path);
  try {
    return job(bytes);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new NsdfLoadError(`${path}: ${message}`, { cause });
  }
}

/** A file's bytes. @throws Node's error if it cannot be read. */
export function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path);
}

/** True for a GLB, which every .nsdf is; safetensors start with a length. */
function isGlb(bytes: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(bytes.subarray(0, 4)) === 'glTF';
}

/** The scene in a .nsdf, or the one field of a .safetensors as a scene; told apart by their first bytes, then by name. */
export function readScene(path: string): Promise<NsdfScene> {
  return inFile(path, (bytes) => {
    if (isGlb(bytes) || /\.(nsdf|glb)$/i.test(path)) return readNsdf(bytes);
    return sceneOf(importSafetensors(bytes, { name: basename(path).replace(/\.[^.]*$/, '') }));
  });
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

/** @throws {NsdfArgumentError} if the path ends in none of .glb, .ply, .obj, .stl. */
export function readMesh(path: string): Promise<MeshData> {
  const format = meshFormatOf(path);
  return inFile(path, (bytes) => format.read(bytes));
}
