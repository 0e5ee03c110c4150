import type { Mesh } from 'three';
import { meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import { NsdfFormatError } from '../../src/errors.ts';
import { localPositions } from '../../src/surface/mesh.ts';
import type { Triangles } from '../../src/train/index.ts';

/** A file as it was dropped. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What meshes are read from, beside their buffers. */
export const MESH_NAME = /\.(glb|gltf|obj|ply|stl)$/i;

/**
 * Reads the triangles of a mesh; of a glTF all that its scene shows, where it stands.
 * @param files the mesh, and what lies beside it: the `.bin` of a `.gltf`.
 * @throws {NsdfFormatError} if there is no mesh among them, or it has no triangles or cannot be read.
 */
export async function readMesh(files: readonly NamedBytes[]): Promise<Triangles> {
  const file = files.find(({ name }) => MESH_NAME.test(name));
  if (!file) {
    const names = files.map(({ name }) => name).join(', ');
    throw new NsdfFormatError(`${names}: expected a .glb, .gltf, .obj, .ply or .stl file`);
  }
  if (/\.gl(b|tf)$/i.test(file.name)) return readGltf(file, files);
  const mesh = meshFormatOf(file.name).read(file.bytes);
  return { positions: localPositions(mesh), indices: mesh.indices };
}

async function readGltf(file: NamedBytes, beside: readonly NamedBytes[]): Promise<Triangles> {
  const [{ LoadingManager }, { GLTFLoader }] = await Promise.all([
    import('three'),
    import('three/addons/loaders/GLTFLoader.js'),
  ]);
  const urls = new Map(beside.map(({ name, bytes }) => [name, URL.createObjectURL(new Blob([bytes]))]));
  const manager = new LoadingManager();
  manager.setURLModifier((url) => urls.get(decodeURIComponent(url.split('/').pop() ?? '')) ?? url);
  try {
    const { scene } = await new GLTFLoader(manager).parseAsync(withoutLooks(file.bytes), '');
    scene.updateMatrixWorld(true);
    const meshes: Mesh[] = [];
    scene.traverse((object) => {
      if ((object as Mesh).isMesh) meshes.push(object as Mesh);
    });
    if (meshes.length > 0) return joined(meshes);
  } catch (cause) {
    throw new NsdfFormatError(`${file.name}: ${(cause as Error).message}`, { cause });
  } finally {
    for (const url of urls.values()) URL.revokeObjectURL(url);
  }
  throw new NsdfFormatError(`${file.name} shows no mesh: expected triangles`);
}

/** A glTF without materials and textures: there is nothing in a worker to decode them with, and no need. */
function withoutLooks(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isBinary = bytes.length >= 20 && view.getUint32(0, true) === 0x46546c67;
  const end = isBinary ? 20 + view.getUint32(12, true) : bytes.length;
  const json = JSON.parse(new TextDecoder().decode(bytes.subarray(isBinary ? 20 : 0, end)));
  for (const name of ['materials', 'textures', 'images', 'samplers', 'animations', 'skins', 'cameras']) {
    delete json[name];
  }
  for (const { primitives } of json.meshes ?? []) {
    for (const primitive of primitives) {
      delete primitive.material;
      delete primitive.extensions?.KHR_materials_variants;
    }
  }
  for (const node of json.nodes ?? []) {
    delete node.skin;
    delete node.camera;
  }
  const text = new TextEncoder().encode(JSON.stringify(json));
  if (!isBinary) return text.buffer;
  const length = (text.length + 3) & ~3;
  const packed = new Uint8Array(20 + length + bytes.length - end).fill(0x20);
  packed.set(bytes.subarray(0, 20));
  packed.set(text, 20);
  packed.set(bytes.subarray(end), 20 + length);
  const header = new DataView(packed.buffer);
  header.setUint32(8, packed.length, true);
  header.setUint32(12, length, true);
  return packed.buffer;
}

/** All triangles in the scene's space; mirrored ones are turned over. */
function joined(meshes: readonly Mesh[]): Triangles {
  const positions: number[] = [];
  const indices: number[] = [];
  for (const { geometry, matrixWorld } of meshes) {
    const first = positions.length / 3;
    const own = geometry.getAttribute('position').clone().applyMatrix4(matrixWorld);
    for (let v = 0; v < own.count; v++) positions.push(own.getX(v), own.getY(v), own.getZ(v));
    const corners = geometry.index?.array ?? Uint32Array.from({ length: own.count }, (_, v) => v);
    const isMirrored = matrixWorld.determinant() < 0;
    for (let i = 0; i + 2 < corners.length; i += 3) {
      const [a, b, c] = [corners[i] + first, corners[i + 1] + first, corners[i + 2] + first];
      indices.push(a, ...(isMirrored ? [c, b] : [b, c]));
    }
  }
  return { positions: Float64Array.from(positions), indices: Uint32Array.from(indices) };
}
