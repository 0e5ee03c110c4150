import { NsdfFormatError } from '../../errors.ts';
import { packGlb, parseGlb } from '../../format/glb.ts';
import { readBufferViews } from '../../format/gltf-buffers.ts';
import { FallbackReader } from '../../format/gltf-fallback.ts';
import { IssueList } from '../../format/issues.ts';
import { JsonObject } from '../../format/json-object.ts';
import type { FallbackMesh } from '../../format/scene.ts';
import { BinWriter, fallbackAttributes } from '../../format/write-bin.ts';
import type { MeshData, MeshFormat } from './mesh-data.ts';

/**
 * glTF 2.0 binary: one mesh written. All indexed triangle meshes of a file are read together, each in its own local
 * units: node transforms are not applied, so that a mesh can be held against the field that it came from.
 */
export const GLB: MeshFormat = { write, read };

function write(mesh: MeshData): Uint8Array {
  const asset = { version: '2.0', generator: 'nsdf-loader' };
  if (mesh.indices.length === 0) return packGlb({ asset }, new Uint8Array(0));
  const bin = new BinWriter();
  const primitive = fallbackAttributes(bin, mesh);
  const json = {
    asset,
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [primitive] }],
    ...bin.json(),
  };
  return packGlb(json, bin.bytes());
}

function read(bytes: Uint8Array): MeshData {
  const issues = new IssueList();
  const meshes = readPrimitives(bytes, issues);
  issues.throwFirstError();
  const warning = issues.issues.find(({ code }) => code === 'unsupported');
  if (warning !== undefined) {
    throw new NsdfFormatError(`${warning.path ?? ''}: ${warning.message}`, { field: warning.path });
  }
  return merged(meshes);
}

function readPrimitives(bytes: Uint8Array, issues: IssueList): FallbackMesh[] {
  const glb = parseGlb(bytes, issues);
  const root = glb && JsonObject.of(glb.json, '', issues);
  if (glb === null || root === null) return [];
  const views = readBufferViews(root, glb);
  const reader = new FallbackReader(root.optionalObjects('accessors'), views, 4 * glb.bin.length);
  return root
    .optionalObjects('meshes')
    .flatMap((mesh) => mesh?.objects('primitives') ?? [])
    .flatMap((primitive) => {
      const mesh = primitive && reader.read(primitive);
      if (mesh) return mesh;
      const message =
        'no plain vertex positions here (a compressed mesh, or a field without a fallback mesh)';
      issues.note('warning', 'unsupported', message, { path: primitive?.path });
      return [];
    });
}

function merged(meshes: readonly FallbackMesh[]): MeshData {
  if (meshes.length === 1) return meshes[0];
  const sum = (pick: (mesh: FallbackMesh) => number) => meshes.reduce((n, mesh) => n + pick(mesh), 0);
  const positions = new Float32Array(sum((mesh) => mesh.positions.length));
  const indices = new Uint32Array(sum((mesh) => mesh.indices.length));
  const normals = meshes.every((mesh) => mesh.normals !== null) ? new Float32Array(positions.length) : null;
  let k = 0;
  let i = 0;
  for (const mesh of meshes) {
    positions.set(mesh.positions, k);
    normals?.set(mesh.normals as Float32Array, k);
    indices.set(
      mesh.indices.map((v) => v + k / 3),
      i,
    );
    k += mesh.positions.length;
    i += mesh.indices.length;
  }
  return { positions, normals, indices };
}
