import {
  DEFAULT_MATERIAL,
  type FallbackMesh,
  IDENTITY_NODE,
  type NsdfField,
} from '../../src/format/scene.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { octahedronMlp, sphereField } from '../fixtures/fields.ts';
import { type AddView, editGlb, type Json } from './glb.ts';

/** Coarse stand-in of the ball: a tetrahedron of a size of its own. */
export const FALLBACK: FallbackMesh = {
  positions: new Float32Array([3, 3, 3, 3, -3, -3, -3, 3, -3, -3, -3, 3]),
  normals: null,
  indices: new Uint32Array([0, 1, 2, 0, 3, 1, 0, 2, 3, 1, 3, 2]),
};

const RED = {
  ...DEFAULT_MATERIAL,
  name: 'red',
  baseColorFactor: [0.6, 0.1, 0.1, 1],
  metallicFactor: 0.25,
  roughnessFactor: 0.5,
} as const;

/**
 * A file with everything around a field that glTF has: under a node `stage` two nodes that share the mesh `ball` (a
 * field with material and fallback), a node with an ordinary triangle, a mesh of triangle and field, an instanced
 * field, extras, an animation of `ball`, a second scene.
 */
export function writeRichScene(): Uint8Array<ArrayBuffer> {
  const ball: NsdfField = {
    asset: sphereField({ cells: [4] }),
    fallback: FALLBACK,
    material: RED,
    sha256: null,
  };
  const gem: NsdfField = { asset: octahedronMlp(), fallback: null, material: null, sha256: null };
  const ballMesh = { name: 'ball-mesh', fields: [ball] };
  const plain = writeNsdf({
    name: 'gallery',
    copyright: 'A. Tester',
    generator: null,
    nodes: [
      {
        ...IDENTITY_NODE,
        name: 'stage',
        translation: [0, 1, 0],
        children: [
          { ...IDENTITY_NODE, name: 'ball', translation: [2, 0, 0], scale: [2, 2, 2], mesh: ballMesh },
          { ...IDENTITY_NODE, name: 'twin', translation: [-2, 0, 0], mesh: ballMesh },
          { ...IDENTITY_NODE, name: 'gem', mesh: { name: 'gem-mesh', fields: [gem] } },
        ],
      },
    ],
  });
  return editGlb(plain, (json, addView) => {
    const triangle = addTriangle(json, addView);
    const gemMesh = json.meshes.findIndex(({ name }: Json) => name === 'gem-mesh');
    json.meshes.push({ name: 'triangle', primitives: [triangle] });
    json.meshes.push({ name: 'mixed', primitives: [triangle, json.meshes[gemMesh].primitives[0]] });
    const [ordinary, mixed] = [json.meshes.length - 2, json.meshes.length - 1];
    const node = (name: string) => json.nodes.find((candidate: Json) => candidate.name === name);
    node('stage').extras = { floor: 3 };
    node('ball').extras = { price: 7 };
    node('ball').children = [json.nodes.push({ name: 'label' }) - 1];
    const stage = node('stage').children;
    stage.push(json.nodes.push({ name: 'ordinary', mesh: ordinary }) - 1);
    stage.push(json.nodes.push({ name: 'mixed', mesh: mixed }) - 1);
    addAnimation(json, addView, json.nodes.indexOf(node('ball')));
    json.scenes[0].extras = { opened: 1999 };
    json.scenes.push({ name: 'empty' });
  });
}

/** The file with its gem drawn at three places by EXT_mesh_gpu_instancing. */
export function writeInstancedScene(): Uint8Array<ArrayBuffer> {
  return editGlb(writeNsdf(octahedronMlp()), (json, addView) => {
    const translations = new Float32Array([0, 0, 0, 2, 0, 0, 4, 0, 0]);
    const accessor = addAccessor(json, addView(translations), 3, 'VEC3');
    json.nodes[0].extensions = { EXT_mesh_gpu_instancing: { attributes: { TRANSLATION: accessor } } };
    json.extensionsUsed.push('EXT_mesh_gpu_instancing');
  });
}

function addTriangle(json: Json, addView: AddView): Json {
  const positions = addAccessor(json, addView(new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0])), 3, 'VEC3');
  Object.assign(json.accessors[positions], { min: [0, 0, 0], max: [1, 1, 0] });
  return { attributes: { POSITION: positions }, indices: addIndices(json, addView) };
}

function addIndices(json: Json, addView: AddView): number {
  const bufferView = addView(new Uint16Array([0, 1, 2]));
  return json.accessors.push({ bufferView, componentType: 5123, count: 3, type: 'SCALAR' }) - 1;
}

function addAnimation(json: Json, addView: AddView, node: number): void {
  const input = addAccessor(json, addView(new Float32Array([0, 1])), 2, 'SCALAR');
  Object.assign(json.accessors[input], { min: [0], max: [1] });
  const output = addAccessor(json, addView(new Float32Array([2, 0, 0, 2, 5, 0])), 2, 'VEC3');
  json.animations = [
    {
      name: 'rise',
      samplers: [{ input, output }],
      channels: [{ sampler: 0, target: { node, path: 'translation' } }],
    },
  ];
}

function addAccessor(json: Json, bufferView: number, count: number, type: string): number {
  return json.accessors.push({ bufferView, componentType: 5126, count, type }) - 1;
}
