import { describe, expect, it } from 'vitest';
import {
  checkMesh,
  contentHash,
  createCpuField,
  deriveMesh,
  type FieldAsset,
  NsdfArgumentError,
  NsdfFormatError,
  originOf,
  readField,
  type SurfaceMesh,
  sceneOf,
  type Vec3,
  writeNsdf,
} from '../../src/index.ts';
import { packPartition, verifyPartitions } from '../../src/pipeline/packed-partitions.ts';
import { sphereField } from '../fixtures/grid-fields.ts';
import { boxMlp, octahedronMlp, plainMlp } from '../fixtures/mlp-fields.ts';
import { layer } from '../fixtures/mlp-parts.ts';

const AXES: readonly number[] = [0, 1, 2];

/** |x - cx| + |y - cy| + |z - cz| - radius, reading map coordinates. */
function octahedronAt(center: Vec3, radius: number, half: number): FieldAsset {
  const rows = AXES.flatMap((k) => [1, -1].map((s) => AXES.map((axis) => (axis === k ? s : 0))));
  const biases = AXES.flatMap((k) => [-center[k], center[k]]);
  const layers = [layer(rows, biases), layer([[1, 1, 1, 1, 1, 1]], [-radius])];
  const at = (s: number): Vec3 => [center[0] + s, center[1] + s, center[2] + s];
  return plainMlp('octahedron', layers, { min: at(-half), max: at(half) });
}

/** The largest |f| over the slope √3 at the vertices, as double precision has them. */
function farthestOff(mesh: SurfaceMesh, center: Vec3, radius: number): number {
  const { positions, origin = [0, 0, 0] } = mesh;
  let most = 0;
  for (let i = 0; i < positions.length; i += 3) {
    const sum = AXES.reduce((n, k) => n + Math.abs(positions[i + k] + origin[k] - center[k]), 0);
    most = Math.max(most, Math.abs(sum - radius) / Math.sqrt(3));
  }
  return most;
}

describe('fields far from zero', () => {
  const center: Vec3 = [691_234, 5_334_567, 512];

  it('keep their tolerance in map coordinates, local coordinates read by the network', async () => {
    const asset = octahedronAt(center, 7, 12);
    const { mesh, stats } = await deriveMesh(asset, { tolerance: 0.02, cache: false });
    expect(mesh.origin).toBeDefined();
    expect(farthestOff(mesh, center, 7)).toBeLessThan(1e-5);
    expect(stats.errorLocal).toBeLessThan(0.02);
    const report = await checkMesh(mesh, {
      field: createCpuField(asset),
      domain: asset.domain,
      samples: 2000,
    });
    expect(report).toMatchObject({
      isClosed: true,
      isManifold: true,
      nDegenerateTriangles: 0,
      nDuplicateVertices: 0,
    });
    expect(report.isOutwardOriented).toBe(true);
    expect(report.meshToZeroSet?.max).toBeLessThan(0.02);
    expect(report.zeroSetToMesh?.max).toBeLessThan(0.02);
  });

  it('give the bytes of the same field at zero, where the network reads the unit cube', async () => {
    const near: FieldAsset = { ...sphereField(), domain: { min: [-8, -8, -8], max: [8, 8, 8] } };
    const far: FieldAsset = {
      ...near,
      domain: { min: [262_136, -4_194_312, 1_048_568], max: [262_152, -4_194_296, 1_048_584] },
    };
    const [a, b] = await Promise.all(
      [near, far].map((asset) => deriveMesh(asset, { resolution: 12, structure: true, cache: false })),
    );
    expect(a.mesh.origin).toBeUndefined();
    expect(b.mesh.origin).toEqual([262_144, -4_194_304, 1_048_576]);
    expect(b.mesh.positions).toEqual(a.mesh.positions);
    expect(b.mesh.indices).toEqual(a.mesh.indices);
    const moved = a.structure?.vertices.map((x, i) => x + (b.mesh.origin as Vec3)[i % 3]);
    expect(b.structure?.vertices).toEqual(moved);
    expect(b.structure?.marks[1][0]).toBe(-4_194_312);
  });

  it('ordinary fields stay as they are', () => {
    for (const half of [1, 10, 1e6]) {
      const domain = { min: [-half, 0, half] as Vec3, max: [half, half, 2 * half] as Vec3 };
      expect(originOf({ domain })).toBeUndefined();
    }
    expect(originOf({ domain: { min: [3, 3, 3], max: [4, 4, 4] } })).toBeUndefined();
    expect(originOf({ domain: { min: [30, 3, 3], max: [31, 4, 4] } })).toEqual([30.5, 3.5, 3.5]);
  });

  it('an origin can be asked for, and a tolerance that single precision cannot keep is refused', async () => {
    const asset = octahedronAt(center, 7, 12);
    const asked = deriveMesh(asset, { tolerance: 0.02, origin: [0, 0, 0], cache: false });
    await expect(asked).rejects.toThrow(NsdfArgumentError);
    await expect(asked).rejects.toThrow(/single precision can be off by 0\.32/);
    const { mesh } = await deriveMesh(octahedronMlp(), {
      tolerance: 0.01,
      origin: [0.5, 0, 0],
      cache: false,
    });
    expect(mesh.origin).toEqual([0.5, 0, 0]);
    expect(Math.min(...mesh.positions)).toBeCloseTo(-1.2, 6);
  });

  it('a region is derived where it lies', async () => {
    const asset = octahedronAt(center, 7, 12);
    const region = { min: center, max: center.map((x) => x + 12) as unknown as Vec3 };
    const { mesh } = await deriveMesh(asset, { tolerance: 0.02, region, cache: false });
    expect(farthestOff(mesh, center, 7)).toBeLessThan(1e-5);
    const { positions, origin = [0, 0, 0] } = mesh;
    const least = Math.min(...Array.from(positions, (x, i) => x + origin[i % 3] - center[i % 3]));
    expect(least).toBeGreaterThanOrEqual(-1e-5);
  });

  it('survives the file, and packs and verifies its partition', async () => {
    const asset = octahedronAt(center, 7, 12);
    const packed = await packPartition(asset, [{ tolerance: 0.05 }]);
    const read = readField(writeNsdf(sceneOf(packed)));
    expect(read.domain).toEqual(asset.domain);
    expect(await contentHash(read)).toBe(await contentHash(asset));
    expect(await verifyPartitions(read)).toEqual([]);
    const { stats, mesh } = await deriveMesh(read, { tolerance: 0.05 });
    expect(stats.cache.use).toBe('file');
    expect(farthestOff(mesh, center, 7)).toBeLessThan(1e-5);
  });
});

describe('a field made in memory is held to the rules of files', () => {
  const grid = sphereField();
  const withLevel = (change: object): FieldAsset => {
    if (grid.encoding.kind !== 'hash-grid') throw new Error('a grid was expected');
    const [first, ...rest] = grid.encoding.levels;
    return { ...grid, encoding: { ...grid.encoding, levels: [{ ...first, ...change }, ...rest] } };
  };

  it.each([
    ['a level scale of Infinity', withLevel({ scale: Number.POSITIVE_INFINITY }), NsdfFormatError],
    ['a value scale that leaves floats', { ...boxMlp(), valueScale: 1e-290 }, NsdfFormatError],
    [
      'a domain too short for where it lies',
      { ...boxMlp(), domain: { min: [1e16, 0, 0], max: [1e16 + 4, 1, 1] } },
      NsdfFormatError,
    ],
    [
      'weights that are no Float32Array',
      { ...boxMlp(), layers: [{ nIn: 3, nOut: 1, weights: [1, 2, 3], bias: null }] },
      NsdfArgumentError,
    ],
    ['nothing', null, NsdfArgumentError],
  ])('%s', async (_, asset, error) => {
    await expect(deriveMesh(asset as FieldAsset)).rejects.toThrow(error);
    expect(() => createCpuField(asset as FieldAsset)).toThrow(error);
    // What shares an array with a field that was refused is no righter for that.
    expect(() => createCpuField(asset as FieldAsset)).toThrow(error);
  });

  it('NaN in an array that two fields share is found in both', () => {
    const [first, ...rest] = boxMlp().layers;
    const weights = first.weights.slice();
    weights[4] = Number.NaN;
    const layers = [{ ...first, weights }, ...rest];
    for (const name of ['one', 'two']) {
      expect(() => createCpuField({ ...boxMlp(), name, layers })).toThrow(
        /weight matrix of layer 0 holds NaN/,
      );
    }
  });
});
