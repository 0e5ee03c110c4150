import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { NSDFObject, nsdfOf, registerNSDFLoader } from '../../src/babylon/index.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { NsdfArgumentError } from '../../src/index.ts';
import { emptyField, sphereField } from '../fixtures/fields.ts';
import { createScene, importInto, throughNsdf } from './load.ts';

const BALL = sphereField({ cells: [8], radius: 0.5 });

beforeAll(registerNSDFLoader);

async function loadBall(asset = BALL): Promise<{ scene: Scene; mesh: Mesh; field: NSDFObject }> {
  const scene = createScene();
  const { meshes } = await importInto(scene, writeNsdf(asset), throughNsdf({ tolerance: 0.02 }));
  const mesh = meshes[1] as Mesh;
  return { scene, mesh, field: nsdfOf(mesh)! };
}

describe('nsdfOf', () => {
  it('finds the field behind meshes, clones and instances, and none behind others', async () => {
    const { scene, mesh, field } = await loadBall();
    expect(field.asset.name).toBe('sphere');
    expect(nsdfOf(mesh.clone('clone'))!.asset).toBe(field.asset);
    expect(nsdfOf(mesh.createInstance('instance'))!.asset).toBe(field.asset);
    const root = scene.getMeshByName('__root__')!;
    expect(nsdfOf(root)).toBeNull();
    expect(() => new NSDFObject(root)).toThrow(NsdfArgumentError);
  });
});

describe('sampling', () => {
  it("is zero on the surface, in the file's space and in the world alike", async () => {
    const { mesh, field } = await loadBall();
    mesh.position.set(3, 0, 1);
    mesh.rotation.set(0.3, 1, -0.4);
    mesh.scaling.setAll(2.5);
    const local = mesh.getVerticesData('position')!;
    const normals = mesh.getVerticesData('normal')!;
    const world = mesh.computeWorldMatrix(true);
    for (let i = 0; i < local.length; i += 300) {
      const point = Vector3.TransformCoordinates(Vector3.FromArray(local, i), world);
      const outwards = Vector3.TransformNormal(Vector3.FromArray(normals, i), world).normalize();
      expect(Math.abs(field.sample(local.slice(i, i + 3)).distances[0])).toBeLessThan(1e-5);
      const outside = field.sampleWorld(point.add(outwards.scale(0.05)).asArray());
      expect(outside.distances[0]).toBeGreaterThan(0.02);
      expect(Vector3.Dot(Vector3.FromArray(outside.gradients), outwards)).toBeGreaterThan(0.5);
    }
  });

  it('writes to arrays of the caller and refuses lengths that do not fit', async () => {
    const { field } = await loadBall();
    const out = { distances: new Float32Array(2), gradients: new Float32Array(6) };
    expect(field.sample([0, 0, 0, 0.9, 0, 0], out).distances).toBe(out.distances);
    expect(out.distances[0]).toBeLessThan(0);
    expect(out.distances[1]).toBeGreaterThan(0);
    expect(() => field.sample([1, 2])).toThrow(NsdfArgumentError);
  });
});

describe('derive', () => {
  it('puts another detail in place, for clones and instances too', async () => {
    const { mesh, field } = await loadBall();
    const clone = mesh.clone('clone');
    const instance = mesh.createInstance('instance');
    const before = mesh.getTotalVertices();
    const stats = await field.derive({ tolerance: 0.001 });
    expect(stats.nVertices).toBeGreaterThan(before);
    expect(nsdfOf(clone)!.stats).toBe(stats);
    for (const shown of [mesh, clone, instance]) {
      expect(shown.getTotalVertices()).toBe(stats.nVertices);
      expect(shown.getTotalIndices()).toBe(stats.nTriangles * 3);
    }
    expect(mesh.subMeshes[0].indexCount).toBe(stats.nTriangles * 3);
  });

  it('keeps the last of several, and leaves the mesh on an abort and on a wrong option', async () => {
    const { mesh, field } = await loadBall();
    const first = field.derive({ tolerance: 1e-5 });
    const second = field.derive({ tolerance: 0.005 });
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    const { nVertices } = await second;
    const signal = AbortSignal.abort('no');
    await expect(field.derive({ signal })).rejects.toBe('no');
    await expect(field.derive({ tolerance: -1 })).rejects.toBeInstanceOf(NsdfArgumentError);
    expect(mesh.getTotalVertices()).toBe(nVertices);
  });

  it('changes nothing once the mesh is disposed', async () => {
    const { mesh, field } = await loadBall();
    const pending = field.derive({ tolerance: 0.005 });
    mesh.dispose();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('says that there is no surface', async () => {
    const { mesh, field } = await loadBall(emptyField());
    expect(field.isEmpty).toBe(true);
    const stats = await field.derive({ resolution: 4 });
    expect(stats.nTriangles).toBe(0);
    expect(mesh.getTotalIndices()).toBe(0);
  });
});
