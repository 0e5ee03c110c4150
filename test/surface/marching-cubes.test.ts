import { describe, expect, it } from 'vitest';
import { marchingCubes } from '../../bench/marching-cubes.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { buildTable } from '../../src/surface/marching-cubes-table.ts';
import { seededRandom } from '../fixtures/random.ts';
import { analyticField, ball, CUBE } from './analytic-fields.ts';

describe('the table', () => {
  it('uses every crossed edge of every case, and no other', () => {
    const { first, triangleEdges, edgeCorner } = buildTable();
    for (let signs = 0; signs < 256; signs++) {
      const used = new Set(triangleEdges.slice(first[signs] * 3, first[signs + 1] * 3));
      const crossed = [...edgeCorner].flatMap((corner, edge) => {
        const other = corner | (1 << (edge >> 2));
        return ((signs >> corner) & 1) !== ((signs >> other) & 1) ? [edge] : [];
      });
      expect(
        [...used].sort((a, b) => a - b),
        `case ${signs}`,
      ).toEqual(crossed);
    }
  });

  it('has five triangles at most for the classic cases without ambiguous faces', () => {
    const { first } = buildTable();
    expect(first[1 + 1] - first[1]).toBe(1);
    expect(first[15 + 1] - first[15]).toBe(2);
    expect(first[256] - first[255]).toBe(0);
  });
});

describe('marching cubes', () => {
  it('a sphere: closed, manifold, outward, near; exact roots lie on it', async () => {
    const field = analyticField(ball(0.6, [0.01, 0.02, 0.03]));
    const check = async (hasExactRoots: boolean) => {
      const mesh = marchingCubes(field, CUBE, { resolution: 20, hasExactRoots });
      return checkMesh(mesh, { field, domain: CUBE, samples: 1000 });
    };
    const linear = await check(false);
    const exact = await check(true);
    for (const report of [linear, exact]) {
      expect(report).toMatchObject({ isClosed: true, isManifold: true, isOriented: true });
      expect(report).toMatchObject({ isOutwardOriented: true, genus: 0, nComponents: 1 });
      expect(report.meshToZeroSet?.max).toBeLessThan(0.01);
    }
    expect(linear.residual?.max).toBeGreaterThan(1e-4);
    expect(exact.residual?.max).toBeLessThan(1e-7);
    expect(exact.meshToZeroSet?.mean).toBeLessThan(linear.meshToZeroSet?.mean ?? 0);
  });

  it('noise, every case and ambiguous face: closed and oriented', async () => {
    const random = seededRandom(5);
    const values = Array.from({ length: 13 ** 3 }, () => random() - 0.5);
    const field = analyticField((x, y, z) => {
      const [i, j, k] = [x, y, z].map((c) => Math.round(((c + 1) / 2) * 12));
      return values[i + 13 * j + 169 * k];
    });
    const mesh = marchingCubes(field, CUBE, { resolution: 12 });
    const report = await checkMesh(mesh, { domain: CUBE });
    expect(report).toMatchObject({ nOpenEdges: 0, nNonManifoldEdges: 0, nMisorientedEdges: 0 });
    expect(report.nTriangles).toBeGreaterThan(5000);
  });

  it('an oblong domain keeps its cells cubic', () => {
    const domain = { min: [-2, -0.5, 1], max: [2, 1.5, 4] } as const;
    const mesh = marchingCubes(analyticField(ball(0.7, [0.1, 0.5, 2.5])), domain, { resolution: 16 });
    expect(mesh.nLatticePoints).toBe(17 * 9 * 13);
    for (let k = 0; k < mesh.positions.length; k += 3) {
      const [x, y, z] = mesh.positions.subarray(k, k + 3);
      expect(Math.abs(Math.hypot(x - 0.1, y - 0.5, z - 2.5) - 0.7)).toBeLessThan(0.02);
    }
  });
});
