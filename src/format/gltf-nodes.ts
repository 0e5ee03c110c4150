import type { Vec3 } from './asset.ts';
import { type JsonObject, pointer } from './json-object.ts';
import type { NodePlace, NsdfMaterial, NsdfMesh, NsdfNode } from './scene.ts';
import { DEFAULT_MATERIAL, IDENTITY_NODE } from './scene.ts';

/** Deeper graphs are refused: nothing made by people is as deep, and every walk of a graph recurses. */
export const MAX_NODE_DEPTH = 256;

/** Children and roots: checked so that the graph is a forest. */
interface NodeLinks {
  readonly children: readonly (readonly number[])[];
  readonly parents: readonly (number | null)[];
}

/** Reads and checks the `children` of all nodes: each node has one parent at most. */
export function readLinks(root: JsonObject, nodes: readonly (JsonObject | null)[]): NodeLinks {
  const parents: (number | null)[] = nodes.map(() => null);
  const children = nodes.map((node, parent) => {
    const listed = node?.has('children') ? readIndices(node, 'children', nodes.length) : [];
    return listed.filter((child) => {
      if (parents[child] === null && child !== parent) {
        parents[child] = parent;
        return true;
      }
      const message = `node ${child} has more than one parent, or is its own`;
      root.issues.error('reference', message, { path: pointer(pointer('/nodes', parent), 'children') });
      return false;
    });
  });
  return { children, parents };
}

/** Indices below `length`, each once; others are issues and left out. */
function readIndices(json: JsonObject, key: string, length: number): number[] {
  const values = json.numbers(key, { min: 0, max: Number.POSITIVE_INFINITY }) ?? [];
  const isRight = (n: number): boolean => Number.isInteger(n) && n >= 0 && n < length;
  const wrong = values.find((n) => !isRight(n));
  if (wrong !== undefined) json.issues.error('reference', `there is no node ${wrong}`, json.place(key));
  return values.filter(isRight);
}

/** The roots of the default scene: `scene`, else the first one, else all nodes without parent. */
export function readRoots(root: JsonObject, links: NodeLinks): { roots: number[]; name: string } {
  const scenes = root.optionalObjects('scenes');
  const index = root.has('scene') ? root.index('scene') : 0;
  if (scenes.length === 0) {
    const roots = links.parents.flatMap((parent, node) => (parent === null ? [node] : []));
    return { roots, name: '' };
  }
  if (index === null || index >= scenes.length) {
    root.issues.error('reference', `there is no scene ${index}`, root.place('scene'));
    return { roots: [], name: '' };
  }
  const scene = scenes[index];
  if (scene === null) return { roots: [], name: '' };
  const listed = scene.has('nodes') ? readIndices(scene, 'nodes', links.parents.length) : [];
  const roots = new Set(listed.filter((node) => links.parents[node] === null));
  if (roots.size !== listed.length) {
    scene.issues.error('reference', 'a node is listed twice, or is not a root', scene.place('nodes'));
  }
  return { roots: [...roots], name: scene.text('name', '') ?? '' };
}

/** Builds the graph below some roots. */
export function buildNodes(
  nodes: readonly (JsonObject | null)[],
  links: NodeLinks,
  roots: readonly number[],
  meshes: readonly (NsdfMesh | null)[],
): NsdfNode[] {
  const build = (index: number, depth: number): NsdfNode[] => {
    const json = nodes[index];
    if (json === null) return [];
    if (depth > MAX_NODE_DEPTH) {
      const message = `the scene graph is more than ${MAX_NODE_DEPTH} nodes deep`;
      json.issues.unsupported('node depth', message, { path: json.path });
      return [];
    }
    const children = links.children[index].flatMap((child) => build(child, depth + 1));
    return [{ ...readNode(json, meshes), children }];
  };
  return roots.flatMap((index) => build(index, 0));
}

function readNode(json: JsonObject, meshes: readonly (NsdfMesh | null)[]): NsdfNode {
  return {
    name: json.text('name', '') ?? '',
    ...readPlace(json),
    mesh: readMeshReference(json, meshes),
    children: [],
  };
}

/** Where a node stands in its parent. */
export function readPlace(json: JsonObject): NodePlace {
  const exactly = (length: number) => ({ min: length, max: length });
  const { translation, rotation, scale } = IDENTITY_NODE;
  return {
    matrix: json.has('matrix') ? json.numbers('matrix', exactly(16)) : null,
    translation: (json.numbers('translation', exactly(3), translation) ?? translation) as Vec3,
    rotation: (json.numbers('rotation', exactly(4), rotation) ?? rotation) as NsdfNode['rotation'],
    scale: (json.numbers('scale', exactly(3), scale) ?? scale) as Vec3,
  };
}

/** The mesh, if it carries fields. */
function readMeshReference(json: JsonObject, meshes: readonly (NsdfMesh | null)[]): NsdfMesh | null {
  const index = json.has('mesh') ? json.index('mesh') : null;
  if (index === null) return null;
  if (index < meshes.length) return meshes[index]?.fields.length ? meshes[index] : null;
  json.issues.error('reference', `there is no mesh ${index}`, json.place('mesh'));
  return null;
}

/** Checks all materials; a wrong one comes as null. */
export function readMaterials(root: JsonObject): readonly (NsdfMaterial | null)[] {
  return root.optionalObjects('materials').map((json) => json && readMaterial(json));
}

function readMaterial(json: JsonObject): NsdfMaterial | null {
  const pbr = json.optionalObject('pbrMetallicRoughness');
  const material = {
    name: json.text('name', ''),
    baseColorFactor: readColor(pbr, 'baseColorFactor', 4, DEFAULT_MATERIAL.baseColorFactor),
    metallicFactor: readFactor(pbr, 'metallicFactor'),
    roughnessFactor: readFactor(pbr, 'roughnessFactor'),
    emissiveFactor: readColor(json, 'emissiveFactor', 3, DEFAULT_MATERIAL.emissiveFactor),
    alphaMode: json.choice('alphaMode', ['OPAQUE', 'MASK', 'BLEND'], DEFAULT_MATERIAL.alphaMode),
    alphaCutoff: json.number('alphaCutoff', DEFAULT_MATERIAL.alphaCutoff),
    doubleSided: json.flag('doubleSided', DEFAULT_MATERIAL.doubleSided),
  };
  return Object.values(material).every((value) => value !== null) ? (material as NsdfMaterial) : null;
}

function readColor(
  json: JsonObject | null,
  key: string,
  length: number,
  fallback: readonly number[],
): readonly number[] | null {
  return json === null ? fallback : json.numbers(key, { min: length, max: length }, fallback);
}

/** Factors default to 1. */
function readFactor(json: JsonObject | null, key: string): number | null {
  return json === null ? 1 : json.number(key, 1);
}
