import {
  AnimationMixer,
  type BufferGeometry,
  InstancedMesh,
  Mesh,
  type MeshStandardMaterial,
  Vector3,
} from 'three';
import { type GLTF, GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { describe, expect, it } from 'vitest';
import { writeNsdf } from '../../src/format/write.ts';
import {
  GLTFNSDFExtension,
  type GLTFNSDFOptions,
  NSDFGroup,
  NSDFLoader,
  NSDFObject,
  type NSDFProgress,
} from '../../src/three/index.ts';
import { octahedronMlp, sphereField } from '../fixtures/fields.ts';
import { passTurns } from '../pipeline/event-turns.ts';
import { editGlb, type Json } from './glb.ts';
import { FALLBACK, writeInstancedScene, writeRichScene } from './rich-scene.ts';

const RICH = writeRichScene();
const COARSE = { resolution: 8 };

function loadGltf(bytes: Uint8Array<ArrayBuffer>, options: GLTFNSDFOptions = COARSE): Promise<GLTF> {
  const loader = new GLTFLoader();
  loader.register((parser) => new GLTFNSDFExtension(parser, options));
  return loader.parseAsync(bytes.slice().buffer, '');
}

/** Both ways to the same scene. */
const WAYS = [
  ['NSDFLoader', async () => new NSDFLoader(undefined, COARSE).parseAsync(RICH)],
  ['GLTFLoader with GLTFNSDFExtension', async () => (await loadGltf(RICH)).scene],
] as const;

describe.each(WAYS)('the scene graph through %s', (_, load) => {
  it('mirrors the file: names, transforms, extras, children', async () => {
    const scene = await load();
    expect(scene.name).toBe('gallery');
    expect(scene.userData).toEqual({ opened: 1999 });
    const [stage] = scene.children;
    expect(stage.name).toBe('stage');
    expect(stage.userData).toMatchObject({ floor: 3 });
    expect(stage.children.map(({ name }) => name)).toEqual(['ball', 'twin', 'gem', 'ordinary', 'mixed']);
    const [ball] = stage.children;
    expect(ball.userData).toMatchObject({ price: 7 });
    expect(ball.scale.toArray()).toEqual([2, 2, 2]);
    scene.updateMatrixWorld();
    expect(ball.getWorldPosition(new Vector3()).toArray()).toEqual([2, 1, 0]);
    expect(ball.children.some(({ name }) => name === 'label')).toBe(true);
  });

  it('has an NSDFObject where the file has a field; nodes that share a mesh share its geometry', async () => {
    const scene = await load();
    const ball = scene.getObjectByName('ball') as NSDFObject;
    const twin = scene.getObjectByName('twin') as NSDFObject;
    expect(ball).toBeInstanceOf(NSDFObject);
    expect(twin).toBeInstanceOf(NSDFObject);
    expect(twin).not.toBe(ball);
    expect(twin.geometry).toBe(ball.geometry);
    expect(ball.geometry!.index!.count).toBeGreaterThan(FALLBACK.indices.length);
    expect(ball.sample([0, 0, 0]).distances[0]).toBeLessThan(0);
  });

  it("draws a field with its file's material, smooth, and with ours where there is none", async () => {
    const scene = await load();
    const red = (scene.getObjectByName('ball') as NSDFObject).material as MeshStandardMaterial;
    expect(red).toMatchObject({ name: 'red', metalness: 0.25, roughness: 0.5, flatShading: false });
    expect(red.color.r).toBeCloseTo(0.6, 6);
    const gem = (scene.getObjectByName('gem') as NSDFObject).material as MeshStandardMaterial;
    expect(gem).toMatchObject({ name: 'nsdf-default', metalness: 0 });
  });

  it('loads ordinary meshes as they are, also beside a field in one mesh', async () => {
    const scene = await load();
    const ordinary = scene.getObjectByName('ordinary') as Mesh;
    expect(ordinary).toBeInstanceOf(Mesh);
    expect([...ordinary.geometry.getAttribute('position').array]).toEqual([0, 0, 0, 1, 0, 0, 0, 1, 0]);
    const mixed = scene.getObjectByName('mixed')!;
    expect(mixed.children).toHaveLength(2);
    expect(mixed.children[0]).toBeInstanceOf(Mesh);
    expect(mixed.children[1]).toBeInstanceOf(NSDFObject);
  });
});

it('plays animations of the file on the group that NSDFLoader gives', async () => {
  const scene = await new NSDFLoader(undefined, COARSE).parseAsync(RICH);
  expect(scene.animations.map(({ name }) => name)).toEqual(['rise']);
  expect(scene.copyright).toBe('A. Tester');
  const mixer = new AnimationMixer(scene);
  mixer.clipAction(scene.animations[0]).play();
  mixer.setTime(0.5);
  expect(scene.getObjectByName('ball')!.position.toArray()).toEqual([2, 2.5, 0]);
});

it('lists all fields, clones the whole scene, and loads a file without scenes', async () => {
  const scene = await new NSDFLoader(undefined, COARSE).parseAsync(RICH);
  expect(scene.fields).toHaveLength(4);
  const clone = scene.clone();
  expect(clone).toBeInstanceOf(NSDFGroup);
  expect(clone.fields).toHaveLength(4);
  expect(clone.getObjectByName('label')).toBeDefined();
  const bare = editGlb(RICH, (json) => {
    delete json.scene;
    delete json.scenes;
  });
  const roots = await new NSDFLoader(undefined, COARSE).parseAsync(bare);
  expect(roots.children.map(({ name }) => name)).toEqual(['stage']);
});

it('keeps associations, so that other plugins find their way back into the file', async () => {
  const { scene, parser } = await loadGltf(RICH);
  const ball = scene.getObjectByName('ball')!;
  const { nodes, meshes, primitives } = parser.associations.get(ball)!;
  expect(parser.json.nodes[nodes!].name).toBe('ball');
  expect(parser.json.meshes[meshes!].name).toBe('ball-mesh');
  expect(primitives).toBe(0);
  expect(ball.userData.gltfExtensions).toBeUndefined();
});

it('gives an instanced field to three as the geometry of an InstancedMesh', async () => {
  const { scene } = await loadGltf(writeInstancedScene());
  const instances: InstancedMesh[] = [];
  scene.traverse((object) => {
    if (object instanceof InstancedMesh) instances.push(object);
  });
  expect(instances).toHaveLength(1);
  expect(instances[0].count).toBe(3);
  expect(instances[0].geometry.index!.count).toBeGreaterThan(0);
  expect(instances[0].children).toHaveLength(0);
});

it('reports progress over all fields together', async () => {
  const seen: NSDFProgress[] = [];
  await loadGltf(RICH, { ...COARSE, onProgress: (progress) => seen.push(progress) });
  const fractions = seen.map(({ fraction }) => fraction);
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  expect(fractions.at(-1)).toBeLessThanOrEqual(1);
  expect(new Set(seen.map(({ fieldName }) => fieldName)).size).toBe(2);
});

describe('a field that cannot be derived', () => {
  /** The ball's extension is of a version to come. */
  const future = editGlb(RICH, (json) => {
    for (const mesh of json.meshes as Json[]) {
      if (mesh.name === 'ball-mesh') mesh.primitives[0].extensions.NSDF_neural_field.version = 9;
    }
  });

  it('leaves its fallback mesh, which says so, and everything else', async () => {
    const { scene } = await loadGltf(future);
    const ball = scene.getObjectByName('ball') as Mesh<BufferGeometry, MeshStandardMaterial>;
    expect(ball).toBeInstanceOf(Mesh);
    expect([...ball.geometry.getAttribute('position').array]).toEqual([...FALLBACK.positions]);
    expect(ball.material.name).toBe('red');
    expect(ball.userData).toMatchObject({ price: 7, nsdf: { isFallback: true } });
    expect(ball.userData.nsdf.error).toMatch(/version 9/);
    expect(scene.getObjectByName('gem')).toBeInstanceOf(NSDFObject);
  });

  it('is an error where the fallback is not wanted, where there is none, and through NSDFLoader', async () => {
    await expect(loadGltf(future, { ...COARSE, fallback: false })).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(new NSDFLoader().parseAsync(future)).rejects.toMatchObject({ code: 'unsupported' });
    const without = editGlb(writeNsdf(octahedronMlp()), (json) => {
      json.meshes[0].primitives[0].extensions.NSDF_neural_field.encoding.type = 'moonlight';
    });
    await expect(loadGltf(without)).rejects.toThrow(/moonlight/);
  });

  it.each([
    ['a bufferView that is not there', (field: Json) => (field.mlp.bufferView = 99)],
    ['a bufferView that is too short', (_: Json, json: Json) => (json.bufferViews.at(-1).byteLength = 8)],
    ['lengths that do not fit', (field: Json) => (field.encoding.levels[0].nEntries = 2 ** 30)],
  ])('names the place: %s', async (_, damage) => {
    const damaged = editGlb(writeNsdf(sphereField({ cells: [4] })), (json) => {
      damage(json.meshes[0].primitives[0].extensions.NSDF_neural_field, json);
    });
    await expect(loadGltf(damaged).then(() => 'loaded')).rejects.toMatchObject({
      code: 'format',
      field: expect.stringContaining('/meshes/0'),
    });
  });
});

it('stops the other fields when one is an error', async () => {
  const broken = editGlb(RICH, (json) => {
    const gem = json.meshes.find(({ name }: Json) => name === 'gem-mesh');
    gem.primitives[0].extensions.NSDF_neural_field.version = 9;
  });
  let nReports = 0;
  const onProgress = () => nReports++;
  await expect(loadGltf(broken, { tolerance: 1e-6, onProgress })).rejects.toMatchObject({
    code: 'unsupported',
  });
  const nBefore = nReports;
  await passTurns(20); // a derivation that went on would report in each
  expect(nReports).toBe(nBefore);
});

it('does not fall back on an abort, but rejects with its reason', async () => {
  const controller = new AbortController();
  const onProgress = ({ phase }: NSDFProgress) => {
    if (phase === 'derive') controller.abort('enough');
  };
  const pending = loadGltf(RICH, { tolerance: 1e-5, signal: controller.signal, onProgress });
  await expect(pending).rejects.toBe('enough');
});
