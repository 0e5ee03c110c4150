import { NsdfFormatError } from '../../errors.ts';
import type { Vec3 } from '../../format/asset.ts';
import { packGlb, parseGlb } from '../../format/glb.ts';
import { readBufferViews } from '../../format/gltf-buffers.ts';
import { FallbackReader } from '../../format/gltf-fallback.ts';
import { IssueList } from '../../format/issues.ts';
import { JsonObject } from '../../format/json-object.ts';
import type { NsdfField, NsdfMaterial, NsdfNode } from '../../format/scene.ts';
import { materialJson } from '../../format/write.ts';
import { BinWriter, fallbackAttributes } from '../../format/write-bin.ts';
import { localPositions } from '../../surface/mesh.ts';
import type { DerivedScene, MeshData, MeshFormat } from './mesh-data.ts';
import { carriesFields, relativePositions } from './mesh-data.ts';

/**
 * glTF 2.0 binary: one mesh written. All indexed triangle meshes of a file are read together, each in its own local
 * units: node transforms are not applied, so that a mesh can be held against the field that it came from; but for the
 * translation of a node that says that it is its mesh's origin (`extras.nsdfOrigin`), as those written here do.
 */
export const GLB: MeshFormat = { write, read, writeScene };

function write(mesh: MeshData): Uint8Array {
  const asset = { version: '2.0', generator: 'nsdf-loader' };
  if (mesh.indices.length === 0) return packGlb({ asset }, new Uint8Array(0));
  const bin = new BinWriter();
  const primitive = fallbackAttributes(bin, mesh, mesh.attributes);
  const json = {
    asset,
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0, ...placeOf(mesh) }],
    meshes: [{ primitives: [primitive] }],
    ...bin.json(),
  };
  return packGlb(json, bin.bytes());
}

/** Of a node whose mesh has an origin. */
function placeOf({ origin }: MeshData): object {
  return origin === undefined ? {} : { translation: [...origin], extras: { nsdfOrigin: true } };
}

/** Nodes as nodes; a mesh with an origin hangs in a node of its own below its field's. */
function writeScene({ scene, meshOf }: DerivedScene): Uint8Array {
  const bin = new BinWriter();
  const nodes: object[] = [];
  const meshes: object[] = [];
  const materials: NsdfMaterial[] = [];
  const known = new Map<NsdfField, number>();
  const addMesh = (field: NsdfField, data: MeshData): number => {
    const found = known.get(field);
    if (found !== undefined) return found;
    if (field.material && !materials.includes(field.material)) materials.push(field.material);
    const material = field.material ? { material: materials.indexOf(field.material) } : {};
    const primitive = { ...fallbackAttributes(bin, data, data.attributes), ...material };
    known.set(field, meshes.push({ name: field.asset.name, primitives: [primitive] }) - 1);
    return meshes.length - 1;
  };
  const addNode = ({ name, matrix, translation, rotation, scale, mesh, children }: NsdfNode): number => {
    const shown = (mesh?.fields ?? []).filter((field) => meshOf(field).indices.length > 0);
    const below = shown.map((field) => {
      const data = meshOf(field);
      return nodes.push({ name: field.asset.name, mesh: addMesh(field, data), ...placeOf(data) }) - 1;
    });
    const kept = [...below, ...children.filter(carriesFields).map(addNode)];
    const place = matrix ? { matrix } : { translation, rotation, scale };
    return nodes.push({ name, ...place, ...(kept.length > 0 && { children: kept }) }) - 1;
  };
  const roots = scene.nodes.filter(carriesFields).map(addNode);
  const { copyright } = scene;
  const asset = { version: '2.0', generator: 'nsdf-loader', ...(copyright && { copyright }) };
  if (meshes.length === 0) return packGlb({ asset }, new Uint8Array(0));
  const json = {
    asset,
    scene: 0,
    scenes: [{ nodes: roots }],
    nodes,
    meshes,
    ...(materials.length > 0 && { materials: materials.map(materialJson) }),
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

function readPrimitives(bytes: Uint8Array, issues: IssueList): MeshData[] {
  const glb = parseGlb(bytes, issues);
  const root = glb && JsonObject.of(glb.json, '', issues);
  if (glb === null || root === null) return [];
  const views = readBufferViews(root, glb);
  const reader = new FallbackReader(root.optionalObjects('accessors'), views, 4 * glb.bin.length);
  const origins = originsOf(root);
  return root
    .optionalObjects('meshes')
    .flatMap((mesh, index) => (mesh?.objects('primitives') ?? []).map((primitive) => ({ primitive, index })))
    .flatMap(({ primitive, index }): MeshData | [] => {
      const mesh = primitive && reader.read(primitive);
      if (mesh) return { ...mesh, origin: origins.get(index) };
      const message =
        'no plain vertex positions here (a compressed mesh, or a field without a fallback mesh)';
      issues.note('warning', 'unsupported', message, { path: primitive?.path });
      return [];
    });
}

/** The origins of meshes that were written with one. */
function originsOf(root: JsonObject): Map<number, Vec3> {
  const places = root.optionalObjects('nodes').flatMap((node): [number, Vec3][] => {
    const { mesh, translation, extras } = node?.value ?? {};
    const isOrigin = (extras as { nsdfOrigin?: unknown } | undefined)?.nsdfOrigin === true;
    const isPoint =
      Array.isArray(translation) && translation.length === 3 && translation.every(Number.isFinite);
    return isOrigin && isPoint ? [[Number(mesh), translation as unknown as Vec3]] : [];
  });
  return new Map(places);
}

function merged(meshes: readonly MeshData[]): MeshData {
  if (meshes.length === 1) return meshes[0];
  const sum = (pick: (mesh: MeshData) => number) => meshes.reduce((n, mesh) => n + pick(mesh), 0);
  const positions = new Float64Array(sum((mesh) => mesh.positions.length));
  const indices = new Uint32Array(sum((mesh) => mesh.indices.length));
  const normals = meshes.every((mesh) => mesh.normals !== null) ? new Float32Array(positions.length) : null;
  let k = 0;
  let i = 0;
  for (const mesh of meshes) {
    positions.set(localPositions(mesh), k);
    normals?.set(mesh.normals as Float32Array, k);
    indices.set(
      mesh.indices.map((v) => v + k / 3),
      i,
    );
    k += mesh.positions.length;
    i += mesh.indices.length;
  }
  return { ...relativePositions(positions), normals, indices };
}
