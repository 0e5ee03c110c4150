import { describe, expect, it } from 'vitest';
import type { Box3, FieldAsset } from '../../src/format/asset.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { divideField, guideTolerance, type RegionTile } from '../../src/tiles/region-tree.ts';
import { leavingField, multiField, OBLONG_DOMAIN, sphereField } from '../fixtures/fields.ts';

const OPTIONS = { nLevels: 3, split: 2, tolerance: 4e-3, ratio: 4 };
const FIELDS: readonly FieldAsset[] = [
  multiField(),
  leavingField(),
  sphereField({ domain: OBLONG_DOMAIN, center: [0.1, 0.5, 2.5], radius: 0.7 }),
];

function areaOf({ positions, indices }: SurfaceMesh): number {
  let area = 0;
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => positions.subarray(3 * indices[t + k], 3 * indices[t + k] + 3));
    const [u, v] = [b, c].map((p) => [p[0] - a[0], p[1] - a[1], p[2] - a[2]]);
    area += Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 2;
  }
  return area;
}

const levelOf = (tile: RegionTile, level: number): RegionTile[] =>
  tile.level === level ? [tile] : tile.children.flatMap((child) => levelOf(child, level));

function isIn({ min, max }: Box3, point: ArrayLike<number>, slack = 0): boolean {
  return [0, 1, 2].every((k) => point[k] >= min[k] - slack && point[k] <= max[k] + slack);
}

describe.each(FIELDS.map((asset) => [asset.name, asset] as const))('a field divided: %s', (_, asset) => {
  const made = deriveMesh(asset, { tolerance: guideTolerance(asset, OPTIONS) }).then(({ mesh }) =>
    divideField(asset, mesh, OPTIONS),
  );

  it('begins with the whole and is as fine as asked at the end', async () => {
    const root = (await made)!;
    expect(root).toMatchObject({ key: '0-0-0-0', region: null, tolerance: 0.064 });
    expect(levelOf(root, 1).length).toBeGreaterThan(1);
    expect(new Set(levelOf(root, 2).map(({ tolerance }) => tolerance))).toEqual(new Set([4e-3]));
  });

  it('loses no surface: the finest tiles have the area of the whole', async () => {
    const leaves = levelOf((await made)!, 2);
    let area = 0;
    let nEmpty = 0;
    for (const { region, tolerance, bounds } of leaves) {
      const { mesh, isEmpty } = await deriveMesh(asset, { region: region!, tolerance });
      if (isEmpty) nEmpty++;
      area += areaOf(mesh);
      for (let v = 0; v < mesh.positions.length; v += 3) {
        const point = mesh.positions.subarray(v, v + 3);
        expect(isIn(bounds, point, 1e-6), `${point} in ${JSON.stringify(bounds)}`).toBe(true);
      }
    }
    const whole = areaOf((await deriveMesh(asset, { tolerance: OPTIONS.tolerance })).mesh);
    expect(area / whole).toBeGreaterThan(0.995);
    expect(area / whole).toBeLessThan(1.005);
    // Regions that the guide comes near to, and the surface does not reach, are few.
    expect(nEmpty / leaves.length).toBeLessThan(0.2);
  });

  it('bounds what lies below', async () => {
    const check = (tile: RegionTile): void => {
      for (const child of tile.children) {
        expect(isIn(tile.bounds, child.bounds.min) && isIn(tile.bounds, child.bounds.max)).toBe(true);
        check(child);
      }
    };
    check((await made)!);
  });
});

describe('dividing', () => {
  it('cuts long domains into pieces near to cubes', async () => {
    const domain = { min: [0, 0, 0], max: [8, 1, 1] } as const;
    const asset = sphereField({ domain, center: [4, 0.5, 0.5], radius: 0.4, cells: [40] });
    const { mesh } = await deriveMesh(asset, { tolerance: 0.02 });
    const root = divideField(asset, mesh, { nLevels: 3, split: 2, tolerance: 0.005, ratio: 2 })!;
    const regions = levelOf(root, 2).map(({ region }) => region!);
    expect(regions.map(({ min, max }) => [min, max])).toEqual([
      [
        [2, 0, 0],
        [4, 1, 1],
      ],
      [
        [4, 0, 0],
        [6, 1, 1],
      ],
    ]);
  });

  it('keeps a field whole where it is not to be split', async () => {
    const asset = sphereField({ cells: [4] });
    const { mesh } = await deriveMesh(asset, { tolerance: 0.16 });
    const root = divideField(asset, mesh, { nLevels: 3, split: 1, tolerance: 0.01, ratio: 4 })!;
    expect([root, ...root.children, ...root.children[0].children]).toHaveLength(3);
    expect(levelOf(root, 2)).toMatchObject([{ key: '2-0-0-0', region: null, tolerance: 0.01 }]);
  });

  it('gives nothing for a mesh without triangles', () => {
    const empty = {
      positions: new Float32Array(0),
      normals: new Float32Array(0),
      indices: new Uint32Array(0),
    };
    expect(divideField(sphereField({ cells: [3] }), empty, OPTIONS)).toBeNull();
  });
});
