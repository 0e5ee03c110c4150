import {
  AppendSceneAsync,
  LoadAssetContainerAsync,
  LoadSceneAsync,
} from '@babylonjs/core/Loading/sceneLoader.js';
import type { PBRMaterial } from '@babylonjs/core/Materials/PBR/pbrMaterial.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type NSDFProgress,
  nsdfOf,
  registerNSDFGLTFExtension,
  registerNSDFLoader,
} from '../../src/babylon/index.ts';
import { NSDFFileLoader } from '../../src/babylon/pure.ts';
import { packGlb } from '../../src/format/glb.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { NsdfFormatError } from '../../src/index.ts';
import { emptyField } from '../fixtures/fields.ts';
import { createEvent } from '../pipeline/event-turns.ts';
import { editGlb } from '../three/glb.ts';
import { writeInstancedScene, writeRichScene } from '../three/rich-scene.ts';
import { census, createScene, failureOf, importInto, throughGltf, throughNsdf } from './load.ts';

const RICH = writeRichScene();
const COARSE = { resolution: 8 };
const SLOW = { tolerance: 1e-6, backend: 'cpu' } as const;

beforeAll(() => {
  registerNSDFLoader();
  registerNSDFGLTFExtension();
});

/** Both ways to the same scene. */
const WAYS = [
  ['the .nsdf loader', () => throughNsdf(COARSE)],
  ["Babylon's glTF loader", () => throughGltf(COARSE)],
] as const;

describe.each(WAYS)('the scene graph through %s', (_, options) => {
  const load = async () => {
    const scene = createScene();
    const result = await importInto(scene, RICH, options());
    return { scene, result };
  };

  it('mirrors the file: names, transforms, extras, children, under one root', async () => {
    const { scene, result } = await load();
    expect(result.meshes[0].name).toBe('__root__');
    expect(scene.rootNodes.map(({ name }) => name)).toEqual(['__root__']);
    const stage = scene.getNodeByName('stage')!;
    expect(stage.metadata.gltf.extras).toEqual({ floor: 3 });
    expect(stage.getChildren().map(({ name }) => name)).toEqual(['ball', 'twin', 'gem', 'ordinary', 'mixed']);
    const ball = scene.getMeshByName('ball')!;
    expect(ball.metadata.gltf.extras).toEqual({ price: 7 });
    expect(ball.scaling.asArray()).toEqual([2, 2, 2]);
    expect(ball.getChildren().map(({ name }) => name)).toEqual(['label']);
  });

  it('turns right-handed into left-handed as Babylon does with glTF', async () => {
    const { scene } = await load();
    const ball = scene.getMeshByName('ball')!;
    ball.computeWorldMatrix(true);
    expect(ball.getAbsolutePosition().asArray()).toEqual([-2, 1, 0]);
    expect(ball.getWorldMatrix().determinant()).toBeLessThan(0);
  });

  it('has a field where the file has one; nodes that share a mesh share its geometry', async () => {
    const { scene } = await load();
    const ball = scene.getMeshByName('ball')!;
    const twin = scene.getMeshByName('twin')!;
    expect(twin).not.toBe(ball);
    expect(twin.geometry).toBe(ball.geometry);
    expect(ball.getTotalIndices()).toBeGreaterThan(12);
    expect(nsdfOf(ball)!.stats.nTriangles * 3).toBe(ball.getTotalIndices());
    expect(nsdfOf(twin)!.asset).toBe(nsdfOf(ball)!.asset);
    expect(nsdfOf(scene.getMeshByName('ordinary')!)).toBeNull();
  });

  it("draws a field with its file's material, and with ours where there is none", async () => {
    const { scene } = await load();
    const red = scene.getMeshByName('ball')!.material as PBRMaterial;
    expect(red).toMatchObject({ name: 'red', metallic: 0.25, roughness: 0.5 });
    expect(red.albedoColor.r).toBeCloseTo(0.6, 6);
    const gem = scene.getMeshByName('gem')!.material as PBRMaterial;
    expect(gem).toMatchObject({ name: 'nsdf-default', metallic: 0 });
    expect(scene.getMeshByName('ordinary')!.material!.name).toBe('__GLTFLoader._default');
  });

  it('loads ordinary meshes as they are, also beside a field in one mesh', async () => {
    const { scene } = await load();
    expect([...scene.getMeshByName('ordinary')!.getVerticesData('position')!]).toEqual([
      0, 0, 0, 1, 0, 0, 0, 1, 0,
    ]);
    const mixed = scene.getNodeByName('mixed')!.getChildMeshes();
    expect(mixed.map((mesh) => nsdfOf(mesh) !== null)).toEqual([false, true]);
  });

  it('plays the animations of the file', async () => {
    const { scene, result } = await load();
    const [rise] = result.animationGroups;
    expect(rise.name).toBe('rise');
    rise.goToFrame(30);
    expect(scene.getMeshByName('ball')!.position.asArray()).toEqual([2, 2.5, 0]);
  });
});

describe('the loader of .nsdf files', () => {
  it("serves all four of Babylon's functions", async () => {
    const scene = createScene();
    await AppendSceneAsync(RICH, scene, throughNsdf(COARSE));
    const full = census(scene);
    expect(full.meshes).toBe(7);
    const container = await LoadAssetContainerAsync(RICH, scene, throughNsdf(COARSE));
    expect(census(scene)).toEqual(full);
    expect(container.meshes).toHaveLength(7);
    container.addAllToScene();
    expect(scene.meshes).toHaveLength(14);
    container.dispose();
    expect(census(scene)).toEqual(full);
    const other = await LoadSceneAsync(RICH, scene.getEngine(), throughNsdf(COARSE));
    expect(census(other)).toEqual(full);
  });

  it('imports the named nodes alone, and says which there are', async () => {
    const scene = createScene();
    const options = { ...throughNsdf(COARSE), meshNames: ['gem', 'ordinary'] };
    const { meshes } = await importInto(scene, RICH, options);
    expect(meshes.map(({ name }) => name)).toEqual(['__root__', 'gem', 'ordinary']);
    const wrong = importInto(scene, RICH, { ...options, meshNames: 'gems' });
    await expect(failureOf(wrong)).resolves.toMatchObject({
      code: 'argument',
      message: expect.stringContaining('ball, twin, gem'),
    });
  });

  it('shows all roots of a file without scenes', async () => {
    const scene = createScene();
    const bare = editGlb(RICH, (json) => {
      delete json.scene;
      delete json.scenes;
    });
    await importInto(scene, bare, throughNsdf(COARSE));
    expect(scene.getNodeByName('stage')).not.toBeNull();
  });

  it('keeps the scene right-handed where it is', async () => {
    const scene = createScene();
    scene.useRightHandedSystem = true;
    await importInto(scene, RICH, throughNsdf(COARSE));
    const ball = scene.getMeshByName('ball')!;
    ball.computeWorldMatrix(true);
    expect(ball.getAbsolutePosition().asArray()).toEqual([2, 1, 0]);
  });

  it('hands options on to the glTF loader around the fields', async () => {
    const scene = createScene();
    const { meshes } = await importInto(
      scene,
      RICH,
      throughNsdf({ ...COARSE, gltf: { skipMaterials: true } }),
    );
    expect(meshes.every(({ material }) => material === null)).toBe(true);
  });

  it('reports progress over all fields together', async () => {
    const seen: NSDFProgress[] = [];
    await importInto(
      createScene(),
      RICH,
      throughNsdf({ ...COARSE, onProgress: (event) => seen.push(event) }),
    );
    const fractions = seen.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(new Set(seen.map(({ fieldName }) => fieldName)).size).toBe(2);
  });

  it('loads a field without surface: a mesh without triangles, with a finite box', async () => {
    const { meshes } = await importInto(createScene(), writeNsdf(emptyField()), throughNsdf({}));
    const [, mesh] = meshes;
    expect(nsdfOf(mesh)).toMatchObject({ isEmpty: true });
    expect(mesh.getTotalIndices()).toBe(0);
    expect(Number.isFinite(mesh.getBoundingInfo().boundingSphere.radiusWorld)).toBe(true);
  });

  it('gives an instanced field as thin instances', async () => {
    const { meshes } = await importInto(createScene(), writeInstancedScene(), throughNsdf(COARSE));
    expect((meshes[1] as Mesh).thinInstanceCount).toBe(3);
  });
});

describe('a file that shows nothing', () => {
  it.each([{}, { scenes: [{}], scene: 0 }, { nodes: [{ name: 'a' }], scenes: [{ nodes: [0] }], scene: 0 }])(
    'adds no mesh that has a shape: %j',
    async (parts) => {
      const glb = packGlb({ asset: { version: '2.0' }, ...parts }, new Uint8Array(0));
      const scene = createScene();
      const { meshes } = await importInto(scene, glb, throughNsdf(COARSE));
      expect(meshes.filter((mesh) => mesh.getTotalVertices() > 0)).toEqual([]);
      expect(meshes.filter((mesh) => nsdfOf(mesh) !== null)).toEqual([]);
      expect(census(scene).materials).toBe(0);
      const container = await LoadAssetContainerAsync(glb, scene, throughNsdf({ ...COARSE, lod: true }));
      expect(container.meshes.filter((mesh) => mesh.getTotalVertices() > 0)).toEqual([]);
      scene.dispose();
    },
  );
});

describe('a load that fails', () => {
  it.each([
    ['bytes that are no field', () => new TextEncoder().encode('not a field at all')],
    ['a truncated file', () => RICH.slice(0, RICH.length - 400)],
  ])('leaves nothing in the scene: %s', async (_, bytes) => {
    const scene = createScene();
    const before = census(scene);
    expect(await failureOf(importInto(scene, bytes(), throughNsdf(COARSE)))).toBeInstanceOf(NsdfFormatError);
    expect(census(scene)).toEqual(before);
  });

  it('leaves nothing where a field fails after the graph was built', async () => {
    const scene = createScene();
    const before = census(scene);
    const wrong = throughNsdf({ resolution: -3 });
    await expect(failureOf(importInto(scene, RICH, wrong))).resolves.toMatchObject({
      argument: 'resolution',
    });
    expect(census(scene)).toEqual(before);
    await expect(LoadAssetContainerAsync(RICH, scene, wrong)).rejects.toThrow();
    await expect(AppendSceneAsync(RICH, scene, wrong)).rejects.toThrow();
    expect(census(scene)).toEqual(before);
  });

  it('leaves nothing after an abort, which comes with its reason', async () => {
    const scene = createScene();
    const before = census(scene);
    const controller = new AbortController();
    const onProgress = ({ phase }: NSDFProgress) => {
      if (phase === 'derive') controller.abort(new Error('changed my mind'));
    };
    const load = importInto(scene, RICH, throughNsdf({ ...SLOW, signal: controller.signal, onProgress }));
    await expect(failureOf(load)).resolves.toMatchObject({ message: 'changed my mind' });
    expect(census(scene)).toEqual(before);
    const late = importInto(scene, RICH, throughNsdf({ ...COARSE, signal: controller.signal }));
    await expect(failureOf(late)).resolves.toMatchObject({ message: 'changed my mind' });
  });

  it('ends when its loader is disposed', async () => {
    const scene = createScene();
    const deriving = createEvent();
    const onProgress = ({ phase }: NSDFProgress) => {
      if (phase === 'derive') deriving.happen();
    };
    const loader = new NSDFFileLoader({ ...SLOW, onProgress });
    const load = loader.importMeshAsync(null, scene, RICH, '');
    void deriving.happened.then(() => loader.dispose());
    await expect(load).rejects.toMatchObject({ name: 'AbortError' });
    expect(census(scene).meshes).toBe(0);
  });

  it('leaves the scene free for the next load', async () => {
    const scene = createScene();
    await failureOf(importInto(scene, RICH, throughNsdf({ resolution: -3 })));
    const { meshes } = await importInto(scene, RICH, throughNsdf(COARSE));
    expect(meshes).toHaveLength(7);
    expect(scene.meshes).toHaveLength(7);
  });
});

describe('where files beside the asset are looked for', () => {
  const { rewriteRootURL } = NSDFFileLoader.prototype;
  it.each([
    ['http://x/a/', undefined, 'http://x/a/'],
    ['http://x/a/', 'https://cdn.x/v3/bunny.nsdf?key=1/2', 'https://cdn.x/v3/'],
    ['', 'blob:http://x/12', ''],
  ])('%s answered by %s: %s', (root, response, expected) => {
    expect(rewriteRootURL.call(null as never, root, response)).toBe(expected);
  });
});
