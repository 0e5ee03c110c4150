import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset, Vec3 } from '../../src/format/asset.ts';
import { checkTopology } from '../../src/surface/check.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { splitNormals } from '../../src/surface/split-normals.ts';
import {
  blobMlp,
  boxMlp,
  boxOnGridField,
  octahedronMlp,
  slabField,
  sphereField,
} from '../fixtures/fields.ts';
import { derive } from './derive.ts';

const CREASED: readonly [string, () => FieldAsset][] = [
  ['box mlp', () => boxMlp()],
  ['box on grid', () => boxOnGridField()],
  ['slab', () => slabField()],
  ['octahedron', () => octahedronMlp()],
];

/** Geometric normal of triangle t, unit length, with twice the area. */
function faceNormal({ positions: p, indices }: SurfaceMesh, t: number): { normal: Vec3; area: number } {
  const [a, b, c] = [0, 1, 2].map((k) => indices[t * 3 + k] * 3);
  const u = [0, 1, 2].map((k) => p[b + k] - p[a + k]);
  const v = [0, 1, 2].map((k) => p[c + k] - p[a + k]);
  const n: Vec3 = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
  const area = Math.hypot(...n);
  return { normal: [n[0] / area, n[1] / area, n[2] / area], area };
}

/** Least cosine between a triangle's own normal and its three vertices' normals, slivers left out. */
function leastAgreement(mesh: SurfaceMesh): number {
  let least = 1;
  for (let t = 0; t * 3 < mesh.indices.length; t++) {
    const { normal, area } = faceNormal(mesh, t);
    if (area < 1e-7) continue;
    for (let k = 0; k < 3; k++) {
      const v = mesh.indices[t * 3 + k] * 3;
      const cosine = normal.reduce((sum, n, axis) => sum + n * mesh.normals[v + axis], 0);
      least = Math.min(least, cosine);
    }
  }
  return least;
}

/** Positions in the order of the triangles' corners: what splitting may not change. */
const cornerPositions = ({ positions, indices }: SurfaceMesh): number[] =>
  [...indices].flatMap((v) => [...positions.subarray(v * 3, v * 3 + 3)]);

describe.each(CREASED)('%s', (_name, make) => {
  const asset = make();

  it.each([{}, { exact: true }, { maxVertices: 200 }])(
    'has its faces’ normals after the split: %o',
    async (options) => {
      const plain = await derive(asset, options);
      const split = await derive(asset, { ...options, creaseAngle: 30 });
      expect(leastAgreement(plain.mesh)).toBeLessThan(0.9);
      // Chains may stand off the crease by the tolerance: the triangles there lean a little.
      expect(leastAgreement(split.mesh)).toBeGreaterThan(0.99);
      expect(split.stats.nVertices).toBe(split.mesh.positions.length / 3);
      expect(split.stats.nVertices).toBeGreaterThan(plain.stats.nVertices);
      expect(cornerPositions(split.mesh)).toEqual(cornerPositions(plain.mesh));
    },
  );

  it('welds to the same topology, each copy with a normal of its own', async () => {
    const before = checkTopology((await derive(asset, {})).mesh, asset.domain);
    const after = checkTopology((await derive(asset, { creaseAngle: 30 })).mesh, asset.domain);
    expect(after).toMatchObject({
      eulerCharacteristic: before.eulerCharacteristic,
      nComponents: before.nComponents,
      nTriangles: before.nTriangles,
      isClosed: true,
      isManifold: true,
      isOriented: true,
      nUnusedVertices: 0,
      nBadNormals: 0,
    });
    expect(after.nSplitVertices).toBe(after.nVertices - before.nVertices);
  });
});

describe('splitNormals', () => {
  it('gives a box axis-aligned normals, three at each corner', async () => {
    const { mesh } = await derive(boxMlp([0.5, 0.4, 0.3]), { exact: true, creaseAngle: 30 });
    for (let i = 0; i < mesh.normals.length; i += 3) {
      const sizes = [...mesh.normals.subarray(i, i + 3)].map(Math.abs).sort();
      expect(sizes[2]).toBeCloseTo(1, 6);
      expect(sizes[1]).toBeLessThan(1e-6);
    }
    const corner = [0.5, 0.4, 0.3].map(Math.fround);
    const normals: string[] = [];
    for (let i = 0; i < mesh.positions.length; i += 3) {
      const isCorner = corner.every((c, k) => Math.abs(mesh.positions[i + k] - c) < 1e-6);
      if (isCorner) normals.push([...mesh.normals.subarray(i, i + 3)].map(Math.round).join());
    }
    expect(normals.sort()).toEqual(['0,0,1', '0,1,0', '1,0,0']);
  });

  it('leaves a sphere as it was', async () => {
    const asset = sphereField();
    const { mesh } = await derive(asset);
    const split = splitNormals(mesh, createCpuField(asset), 30);
    expect(split.positions).toEqual(mesh.positions);
    expect(split.indices).toEqual(mesh.indices);
    for (let i = 0; i < mesh.normals.length; i += 3) {
      const cosine = [0, 1, 2].reduce((sum, k) => sum + mesh.normals[i + k] * split.normals[i + k], 0);
      expect(cosine).toBeGreaterThan(0.98);
    }
  });

  it('splits nothing at 180 degrees', async () => {
    const asset = blobMlp(21);
    const { mesh } = await derive(asset);
    const split = splitNormals(mesh, createCpuField(asset), 180);
    expect(split.positions).toEqual(mesh.positions);
    expect(split.indices).toEqual(mesh.indices);
  });

  it('splits more at smaller angles, and the same every time', async () => {
    const asset = octahedronMlp();
    const field = createCpuField(asset);
    const { mesh } = await derive(asset);
    const count = (angle: number) => splitNormals(mesh, field, angle).positions.length / 3;
    // Neighbouring faces meet at acos(1/3) = 70.5 degrees.
    expect(count(70)).toBeGreaterThan(count(71));
    expect(count(71)).toBe(mesh.positions.length / 3);
    expect(splitNormals(mesh, field, 30)).toEqual(splitNormals(mesh, field, 30));
  });

  it('leaves an empty mesh empty', () => {
    const empty = {
      positions: new Float32Array(0),
      normals: new Float32Array(0),
      indices: new Uint32Array(0),
    };
    expect(splitNormals(empty, createCpuField(sphereField()), 30)).toEqual(empty);
  });

  it('keeps the old normal where the field is constant', () => {
    const mesh = {
      positions: Float32Array.of(0, 0, 0, 0.1, 0, 0, 0, 0.1, 0),
      normals: Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1),
      indices: Uint32Array.of(0, 1, 2),
    };
    const flat: FieldAsset = {
      ...boxMlp(),
      layers: [{ nIn: 3, nOut: 1, weights: new Float32Array(3), bias: null }],
    };
    expect(splitNormals(mesh, createCpuField(flat), 30)).toEqual(mesh);
  });
});
