import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import { registerBuiltInGLTFExtensions } from '@babylonjs/loaders/glTF/2.0/Extensions/dynamic.js';
import '@babylonjs/loaders/glTF/2.0/glTFLoader.js';
import { unregisterGLTFExtension } from '@babylonjs/loaders/glTF/2.0/glTFLoaderExtensionRegistry.js';
import { GLTFFileLoader } from '@babylonjs/loaders/glTF/glTFFileLoader.js';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type NSDFProgress, nsdfOf, registerNSDFGLTFExtension } from '../../src/babylon/index.ts';
import { GLTF_EXTENSION_NAME } from '../../src/babylon/register-gltf-extension.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { EXTENSION_NAME } from '../../src/index.ts';
import { boxMlp, octahedronMlp, sphereField } from '../fixtures/fields.ts';
import { createEvent, passTurns } from '../pipeline/event-turns.ts';
import { editGlb, type Json } from '../three/glb.ts';
import { FALLBACK, writeRichScene } from '../three/rich-scene.ts';
import { createScene, failureOf, importInto, throughGltf } from './load.ts';

const RICH = writeRichScene();
const COARSE = { resolution: 8 };
/** The ball's extension is of a version to come. */
const FUTURE = editGlb(RICH, (json) => {
  for (const mesh of json.meshes as Json[]) {
    if (mesh.name === 'ball-mesh') mesh.primitives[0].extensions.NSDF_neural_field.version = 9;
  }
});

beforeAll(registerBuiltInGLTFExtensions);
beforeEach(registerNSDFGLTFExtension);

it('is registered under the name that files use', () => {
  expect(GLTF_EXTENSION_NAME).toBe(EXTENSION_NAME);
});

describe('a field that cannot be derived', () => {
  it('leaves its fallback mesh, which says so, and everything else', async () => {
    const scene = createScene();
    await importInto(scene, FUTURE, throughGltf(COARSE));
    const ball = scene.getMeshByName('ball')!;
    expect([...ball.getVerticesData('position')!]).toEqual([...FALLBACK.positions]);
    expect([...ball.getIndices()!]).toEqual([...FALLBACK.indices]);
    expect(ball.material!.name).toBe('red');
    expect(ball.metadata.nsdf).toMatchObject({ isFallback: true, error: expect.stringMatching(/version 9/) });
    expect(ball.metadata.gltf.extras).toEqual({ price: 7 });
    expect(nsdfOf(ball)).toBeNull();
    expect(nsdfOf(scene.getMeshByName('gem')!)).not.toBeNull();
  });

  it('shows the fallback where each node has a mesh of its own', async () => {
    const scene = createScene();
    const options = throughGltf(COARSE);
    await importInto(scene, FUTURE, {
      ...options,
      pluginOptions: { gltf: { ...options.pluginOptions!.gltf, createInstances: false } },
    });
    for (const name of ['ball', 'twin']) {
      const mesh = scene.getMeshByName(name)!;
      expect(mesh.getTotalVertices()).toBe(4);
      expect(mesh.metadata.nsdf.isFallback).toBe(true);
    }
  });

  it('is an error where the fallback is not wanted, and where there is none', async () => {
    const unwanted = importInto(createScene(), FUTURE, throughGltf({ ...COARSE, fallback: false }));
    await expect(failureOf(unwanted)).resolves.toMatchObject({ code: 'unsupported' });
    const moonlit = editGlb(writeNsdf(octahedronMlp()), (json) => {
      json.meshes[0].primitives[0].extensions.NSDF_neural_field.encoding.type = 'moonlight';
    });
    const without = importInto(createScene(), moonlit, throughGltf(COARSE));
    await expect(failureOf(without)).resolves.toMatchObject({ message: expect.stringMatching(/moonlight/) });
  });

  it.each([
    ['a bufferView that is not there', (field: Json) => (field.mlp.bufferView = 99)],
    ['a bufferView that is too short', (_: Json, json: Json) => (json.bufferViews.at(-1).byteLength = 8)],
  ])('names the place: %s', async (_, damage) => {
    const damaged = editGlb(writeNsdf(sphereField({ cells: [4] })), (json) => {
      damage(json.meshes[0].primitives[0].extensions.NSDF_neural_field, json);
    });
    await expect(failureOf(importInto(createScene(), damaged, throughGltf(COARSE)))).resolves.toMatchObject({
      code: 'format',
      field: expect.stringContaining('/meshes/0'),
    });
  });

  it('does not fall back on an abort, but rejects with its reason', async () => {
    const controller = new AbortController();
    const onProgress = ({ phase }: NSDFProgress) => {
      if (phase === 'derive') controller.abort(new Error('enough'));
    };
    const pending = importInto(
      createScene(),
      RICH,
      throughGltf({ tolerance: 1e-6, signal: controller.signal, onProgress }),
    );
    await expect(failureOf(pending)).resolves.toMatchObject({ message: 'enough' });
  });

  it('stops when the glTF loader is disposed', async () => {
    let nReports = 0;
    const deriving = createEvent();
    const onProgress = ({ phase }: NSDFProgress) => {
      nReports++;
      if (phase === 'derive') deriving.happen();
    };
    const loader = new GLTFFileLoader({
      extensionOptions: { NSDF_neural_field: { tolerance: 1e-6, onProgress } },
    });
    const scene = createScene();
    const data = await new Promise((done) => {
      loader.loadFile(scene, RICH, '', done, undefined, true);
    });
    const pending = loader.importMeshAsync(null, scene, data as never, '');
    void deriving.happened.then(() => loader.dispose());
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    const nBefore = nReports;
    await passTurns(20); // a derivation that went on would report in each
    expect(nReports).toBe(nBefore);
  });
});

it('shares one geometry between the nodes of a mesh, instances or not', async () => {
  const scene = createScene();
  const options = throughGltf(COARSE);
  await importInto(scene, RICH, {
    ...options,
    pluginOptions: { gltf: { ...options.pluginOptions!.gltf, createInstances: false } },
  });
  const [ball, twin] = ['ball', 'twin'].map((name) => scene.getMeshByName(name) as Mesh);
  expect(twin.isAnInstance).toBe(false);
  expect(twin.geometry).toBe(ball.geometry);
});

describe('Babylon without the extension', () => {
  beforeEach(() => {
    unregisterGLTFExtension(EXTENSION_NAME);
  });

  it('shows the fallback meshes', async () => {
    const scene = createScene();
    const file = writeNsdf(sceneOf([sphereField({ cells: [3] }), boxMlp()], { fallback: FALLBACK }));
    const { meshes } = await importInto(scene, file, { pluginExtension: '.glb' });
    const [, first, second] = meshes;
    for (const mesh of [first, second]) {
      expect([...mesh.getVerticesData('position')!]).toEqual([...FALLBACK.positions]);
      expect([...mesh.getIndices()!]).toEqual([...FALLBACK.indices]);
    }
    expect([first.name, second.name]).toEqual(['sphere', 'box-mlp']);
  });

  it('says what it lacks where there is no fallback', async () => {
    const load = importInto(createScene(), writeNsdf(boxMlp()), { pluginExtension: '.glb' });
    await expect(load).rejects.toThrow(/Required extension NSDF_neural_field is not available/);
  });
});
