import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import { ImportMeshAsync, LoadAssetContainerAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import type { PBRMaterial } from '@babylonjs/core/Materials/PBR/pbrMaterial.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerNSDFLoader } from '../../src/babylon/index.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { octahedronMlp } from '../fixtures/fields.ts';
import { passTurns, until } from '../pipeline/event-turns.ts';
import { editGlb } from '../three/glb.ts';
import { census, failureOf, throughNsdf } from './load.ts';
import { createEngine, createLitScene } from './stage.ts';

let engine: AbstractEngine;

beforeAll(async () => {
  registerNSDFLoader();
  engine = await createEngine('Engine', 16);
});
afterAll(() => engine.dispose());

/** One red pixel. */
async function redPng(): Promise<Uint8Array> {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.fillStyle = '#ff0000';
  context.fillRect(0, 0, 1, 1);
  return new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
}

/** The octahedron with a textured material; the texture lies in the file, or at a URI beside it. */
async function texturedGem(uri?: string): Promise<Uint8Array<ArrayBuffer>> {
  const png = await redPng();
  return editGlb(writeNsdf(octahedronMlp()), (json, addView) => {
    json.images = [uri ? { uri } : { bufferView: addView(png), mimeType: 'image/png' }];
    json.textures = [{ source: 0 }];
    json.materials = [
      { name: 'painted', pbrMetallicRoughness: { baseColorTexture: { index: 0 }, metallicFactor: 0 } },
    ];
    json.meshes[0].primitives[0].material = 0;
  });
}

it('loads the textures of the file, into the container or the scene', async () => {
  const scene = createLitScene(engine);
  const before = census(scene);
  const container = await LoadAssetContainerAsync(await texturedGem(), scene, throughNsdf({ resolution: 8 }));
  expect(census(scene)).toEqual(before);
  expect(container.textures).toHaveLength(1);
  const { material } = container.meshes[1];
  expect((material as PBRMaterial).albedoTexture).toBe(container.textures[0]);
  container.addAllToScene();
  expect(census(scene).textures).toBe(before.textures + 1);
  scene.dispose();
});

it('looks for textures beside the file at rootUrl', async () => {
  const scene = createLitScene(engine);
  const url = URL.createObjectURL(new Blob([(await redPng()) as Uint8Array<ArrayBuffer>]));
  const name = url.split('/').pop() as string;
  const rootUrl = url.slice(0, -name.length);
  const asked: string[] = [];
  const preprocessUrlAsync = async (wanted: string): Promise<string> => {
    asked.push(wanted);
    return wanted;
  };
  const options = throughNsdf({ resolution: 8, gltf: { preprocessUrlAsync } });
  // A name is given: without one Babylon takes the root for a URL of its own.
  const data = await texturedGem(name);
  await ImportMeshAsync(data, scene, { ...options, rootUrl, name: 'gem.nsdf' });
  expect(asked).toEqual([url]);
  URL.revokeObjectURL(url);
  scene.dispose();
});

it('leaves neither textures nor materials when the field beside them fails', async () => {
  const scene = createLitScene(engine);
  const before = census(scene);
  const wrong = throughNsdf({ resolution: -1 });
  expect(await failureOf(ImportMeshAsync(await texturedGem(), scene, wrong))).toMatchObject({
    argument: 'resolution',
  });
  expect(census(scene)).toEqual(before);
  // Nor does what was on its way come later: after the same texture, asked for after it by a load that does not fail.
  const other = createLitScene(engine);
  await ImportMeshAsync(await texturedGem(), other, throughNsdf({ resolution: 8 }));
  await until(() => other.textures.length > 0 && other.textures.every((texture) => texture.isReady()));
  await passTurns(5);
  expect(census(scene)).toEqual(before);
  other.dispose();
  scene.dispose();
});
