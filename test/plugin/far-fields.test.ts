import { Matrix4, Vector3 } from 'three';
import { expect, it } from 'vitest';
import { placeFarFields } from '../../src/babylon/gltf-nsdf-extension.ts';
import { deriveMesh, EXTENSION_NAME, type FieldAsset } from '../../src/index.ts';
import { translated } from '../../src/plugin/file-preview.ts';
import { NSDFObject } from '../../src/three/nsdf-object.ts';
import { sphereField } from '../fixtures/fields.ts';

const FAR: FieldAsset = {
  ...sphereField(),
  domain: { min: [5_000_000, -300_000, 96], max: [5_000_064, -299_936, 160] },
};

it('in three the mesh lies at its origin below the object, whose own space stays the field', async () => {
  const derived = await deriveMesh(FAR, { resolution: 8, cache: false, backend: 'cpu' });
  const object = NSDFObject.of(FAR, derived);
  object.rotation.z = 0.5;
  object.updateMatrixWorld();
  const { mesh } = object;
  const vertex = new Vector3().fromArray(derived.mesh.positions);
  expect(vertex.length()).toBeLessThan(64);
  const world = mesh?.localToWorld(vertex) as Vector3;
  expect(Math.abs(object.sampleWorld(world.toArray()).distances[0])).toBeLessThan(1e-3);
  expect(mesh?.position.toArray()).toEqual(derived.mesh.origin);
  const clone = object.clone();
  expect(clone.mesh?.position.toArray()).toEqual(derived.mesh.origin);
});

it('in Babylon far fields get nodes of their own, shared meshes and near fields stay', () => {
  const far = { extensions: { [EXTENSION_NAME]: { domain: FAR.domain } } };
  const near = { extensions: { [EXTENSION_NAME]: { domain: { min: [0, 0, 0], max: [1, 1, 1] } } } };
  const gltf = {
    meshes: [
      { index: 0, name: 'both', primitives: [near, far] as unknown[] },
      { index: 1, name: 'far', primitives: [far] as unknown[] },
      { index: 2, primitives: [near] as unknown[] },
    ],
    nodes: [
      { index: 0, name: 'a', mesh: 0 },
      { index: 1, name: 'b', mesh: 1, children: [2], scale: [-1, 1, 1] },
      { index: 2, mesh: 1 },
      { index: 3, mesh: 2 },
    ],
  };
  placeFarFields(gltf);
  const origin = [5_000_032, -299_968, 128];
  const [a, b, c, d, ...added] = gltf.nodes as { mesh?: number; children?: number[] }[];
  expect([a.mesh, b.mesh, c.mesh, d.mesh]).toEqual([0, undefined, undefined, 2]);
  expect([a.children, b.children, c.children]).toEqual([[4], [2, 5], [6]]);
  expect(gltf.meshes[0].primitives).toEqual([near]);
  expect(added).toMatchObject([
    { mesh: 3, translation: origin, parent: a },
    { mesh: 4, translation: origin, parent: b, name: 'b' },
    { mesh: 4, translation: origin, parent: c },
  ]);
  expect(gltf.meshes.slice(3)).toMatchObject([
    { index: 3, primitives: [far] },
    { index: 4, primitives: [far] },
  ]);
});

it('a preview is moved before its node', () => {
  const matrix = new Matrix4().makeRotationX(0.4).setPosition(1, 2, 3);
  const expected = matrix.clone().multiply(new Matrix4().makeTranslation(7, -8, 9)).elements;
  translated(matrix.elements, [7, -8, 9]).forEach((x, i) => {
    expect(x).toBeCloseTo(expected[i], 12);
  });
  expect(translated(matrix.elements, undefined)).toBe(matrix.elements);
});
