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

describe('updateWeights', () => {
  const NEXT = sphereField({ cells: [4, 8], radius: 0.7 });
  const extentOf = (mesh: Mesh) => {
    mesh.refreshBoundingInfo();
    return mesh.getBoundingInfo().boundingBox.maximum.y;
  };

  it('puts other weights in place, for clones and instances too, and keeps what is set on the mesh', async () => {
    const { scene, mesh, field } = await loadBall();
    const clone = mesh.clone('clone');
    const instance = mesh.createInstance('instance');
    mesh.position.set(1, 2, 3);
    const { material } = mesh;
    const { asset } = field;
    const seen = new Set<unknown>();
    const onProgress = () => seen.add(field.asset).add(mesh.getTotalVertices());
    const before = mesh.getTotalVertices();
    const nGeometries = scene.geometries.length;
    const stats = await field.updateWeights(NEXT, { tolerance: 0.01, onProgress });
    expect(seen).toEqual(new Set([asset, before]));
    for (const shown of [mesh, clone, instance]) {
      expect(nsdfOf(shown)!.stats).toBe(stats);
      expect(nsdfOf(shown)!.asset).toEqual(NEXT);
    }
    expect(mesh.material).toBe(material);
    expect(mesh.position.asArray()).toEqual([1, 2, 3]);
    expect(extentOf(mesh)).toBeCloseTo(0.7, 1);
    expect(field.sample([0.7, 0, 0]).distances[0]).toBeCloseTo(0, 1);
    expect(scene.geometries).toHaveLength(nGeometries);
  });

  it('drops what a later call overtakes, changes nothing when it fails, and hands its weights on to derive', async () => {
    const { mesh, field } = await loadBall();
    const overtaken = field.updateWeights(sphereField({ cells: [4], radius: 0.3 }), { tolerance: 1e-5 });
    const last = field.updateWeights(NEXT, { tolerance: 0.02 });
    await expect(overtaken).rejects.toMatchObject({ name: 'AbortError' });
    const stats = await last;
    expect(field.stats).toBe(stats);
    await expect(field.updateWeights(BALL, { tolerance: -1 })).rejects.toBeInstanceOf(NsdfArgumentError);
    await expect(field.updateWeights(BALL, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(field.asset).toEqual(NEXT);
    expect(field.stats).toBe(stats);
    const update = field.updateWeights(BALL, { tolerance: 1e-5 });
    const derived = field.derive({ tolerance: 0.02 });
    await expect(update).rejects.toMatchObject({ name: 'AbortError' });
    await derived;
    expect(extentOf(mesh)).toBeCloseTo(0.5, 1);
  });

  it('keeps levels of detail: the same ladder of the new field', async () => {
    const { scene, mesh, field } = await loadBall();
    const levels = [{ tolerance: 0.05 }, { tolerance: 0.005 }];
    await field.setLod({ levels, waitFor: 'coarse' });
    await field.loadLevel('coarse');
    const nGeometries = scene.geometries.length;
    const stats = await field.updateWeights(NEXT);
    expect(field.stats).toBe(stats);
    expect(field.level?.name).toBe('tolerance 0.05');
    expect(extentOf(mesh)).toBeCloseTo(0.7, 1);
    expect(field.ladder.map(({ name }) => name)).toEqual(['tolerance 0.05', 'tolerance 0.005']);
    expect(scene.geometries).toHaveLength(nGeometries);
    const update = field.updateWeights(BALL);
    await field.setLod(false);
    await update;
    expect(field.ladder).toEqual([]);
    expect(extentOf(mesh)).toBeCloseTo(0.5, 1);
  });
});
