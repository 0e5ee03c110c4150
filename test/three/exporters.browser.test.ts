import { Box3, Mesh, type Object3D, Vector3 } from 'three';
import { GLTFExporter } from 'three/addons/exporters/GLTFExporter.js';
import { USDZExporter } from 'three/addons/exporters/USDZExporter.js';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { expect, it } from 'vitest';
import { NSDFLoader, objectFromAsset } from '../../src/three/index.ts';
import { octahedronMlp } from '../fixtures/fields.ts';
import { writeRichScene } from './rich-scene.ts';

const loadRich = () => new NSDFLoader().setResolution(8).parseAsync(writeRichScene());

it('exports a loaded scene as a GLB that three reads back: same triangles, same places, same materials', async () => {
  const scene = await loadRich();
  const glb = (await new GLTFExporter().parseAsync(scene, { binary: true })) as ArrayBuffer;
  const { scene: back } = await new GLTFLoader().parseAsync(glb, '');
  scene.updateMatrixWorld(true);
  back.updateMatrixWorld(true);
  const [before, after] = [scene, back].map((root) => new Box3().setFromObject(root, true));
  expect(after.min.distanceTo(before.min)).toBeLessThan(1e-5);
  expect(after.max.distanceTo(before.max)).toBeLessThan(1e-5);
  expect(countTriangles(back)).toBe(countTriangles(scene));
  expect(back.getObjectByName('ball')).toBeDefined();
  const names = new Set<string>();
  back.traverse((object) => names.add((object as { material?: { name: string } }).material?.name ?? ''));
  expect([...names].sort()).toEqual(expect.arrayContaining(['nsdf-default', 'red']));
});

it('exports a loaded scene as a USDZ: a stored zip with one geometry a field', async () => {
  const scene = await loadRich();
  const usdz = (await new USDZExporter().parseAsync(scene)) as Uint8Array;
  expect(String.fromCharCode(...usdz.subarray(0, 2))).toBe('PK');
  const text = new TextDecoder('latin1').decode(usdz);
  expect(text).toContain('model.usda');
  expect(text.match(/int\[\] faceVertexCounts/g)?.length).toBeGreaterThanOrEqual(3);
});

it('exports one object by itself, without a scene around it', async () => {
  const gem = await objectFromAsset(octahedronMlp(), { resolution: 8 });
  const glb = (await new GLTFExporter().parseAsync(gem, { binary: true })) as ArrayBuffer;
  const { scene } = await new GLTFLoader().parseAsync(glb, '');
  const size = new Box3().setFromObject(scene).getSize(new Vector3());
  for (const extent of size.toArray()) expect(extent).toBeCloseTo(1.4, 4);
});

function countTriangles(root: Object3D): number {
  let count = 0;
  root.traverse((object) => {
    if (object instanceof Mesh) count += object.geometry.index.count / 3;
  });
  return count;
}
