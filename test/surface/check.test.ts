import { describe, expect, it } from 'vitest';
import { type CheckOptions, checkMesh } from '../../src/surface/check.ts';
import type { CheckField } from '../../src/surface/check-field.ts';
import { createRandom } from '../../src/surface/check-random.ts';
import { sampleMesh, sampleZeroSet } from '../../src/surface/distance-samples.ts';
import { analyticField, ball, CUBE } from './analytic-fields.ts';
import { flipped, join, sphere, torus, typed, without } from './check-meshes.ts';

const RADIUS = 0.5;
const FIELD = analyticField(ball(RADIUS));
const OPTIONS: CheckOptions = { field: FIELD, domain: CUBE, samples: 4000 };

describe('checkMesh without a field', () => {
  it('reports topology and orientation by volume, nothing else', async () => {
    const report = await checkMesh(typed(torus()));
    expect(report).toMatchObject({ genus: 1, isOutwardOriented: true });
    expect(report).not.toHaveProperty('residual');
    expect(report).not.toHaveProperty('meshToZeroSet');
    expect((await checkMesh(typed(flipped(torus())))).isOutwardOriented).toBe(false);
  });
});

describe('checkMesh against a field', () => {
  it('a sphere mesh: vertices on the zero set, faces inside by the sagitta', async () => {
    const report = await checkMesh(typed(sphere(4, RADIUS)), OPTIONS);
    expect(report).toMatchObject({ isClosed: true, isOutwardOriented: true });
    expect(report.residual?.max).toBeLessThan(1e-7);
    const { meshToZeroSet: there, zeroSetToMesh: back } = report;
    // The deepest point of the largest triangle: its centre, at the distance of its plane.
    const deepest = RADIUS - planeDistance(sphere(4, RADIUS));
    expect(there?.max).toBeGreaterThan(0.9 * deepest);
    expect(there?.max).toBeLessThan(1.0001 * deepest);
    expect(back?.max).toBeGreaterThan(0.9 * deepest);
    expect(back?.max).toBeLessThan(1.0001 * deepest);
    expect(Math.abs((there?.mean ?? 0) / (back?.mean ?? 1) - 1)).toBeLessThan(0.05);
    expect(there?.n).toBe(4000);
    expect(back?.n).toBeGreaterThanOrEqual(4000);
  });

  it('a vertex moved off the surface shows in the residual and in both distances', async () => {
    const mesh = sphere(4, RADIUS);
    for (let k = 0; k < 3; k++) mesh.positions[k] *= 1.1;
    const sound = await checkMesh(typed(sphere(4, RADIUS)), OPTIONS);
    const report = await checkMesh(typed(mesh), OPTIONS);
    expect(report.residual?.max).toBeCloseTo(0.05, 6);
    expect(report.residual?.mean).toBeLessThan(1e-4);
    expect(report.meshToZeroSet?.max).toBeGreaterThan(5 * (sound.meshToZeroSet?.max ?? 0));
    expect(report.zeroSetToMesh?.max).toBeGreaterThan(2 * (sound.zeroSetToMesh?.max ?? 0));
  });

  it('a hole is far from the mesh, the mesh near the zero set', async () => {
    const report = await checkMesh(typed(without(sphere(2, RADIUS), (t) => t === 7)), OPTIONS);
    expect(report.zeroSetToMesh?.max).toBeGreaterThan(0.03);
    expect(report.meshToZeroSet?.max).toBeLessThan(0.03);
  });

  it('a part that the mesh lacks is found, however small beside the rest', async () => {
    const [big, small] = [ball(RADIUS), ball(0.03, [0.8, 0.8, 0.8])];
    const field = analyticField((x, y, z) => Math.min(big(x, y, z), small(x, y, z)));
    const report = await checkMesh(typed(sphere(4, RADIUS)), { ...OPTIONS, field });
    expect(report.zeroSetToMesh?.max).toBeGreaterThan(0.8);
    expect(report.meshToZeroSet?.max).toBeLessThan(0.01);
    const whole = join(sphere(4, RADIUS), sphere(2, 0.03, [0.8, 0.8, 0.8]));
    expect((await checkMesh(typed(whole), { ...OPTIONS, field })).zeroSetToMesh?.max).toBeLessThan(0.01);
  });

  it('a part that the field lacks is far from the zero set', async () => {
    const mesh = join(sphere(4, RADIUS), sphere(2, 0.1, [0.8, 0.8, 0.8]));
    const report = await checkMesh(typed(mesh), OPTIONS);
    expect(report.meshToZeroSet?.max).toBeGreaterThan(0.8);
    expect(report.zeroSetToMesh?.max).toBeLessThan(0.01);
  });

  it('one component inside out among others is noticed', async () => {
    const [big, small] = [ball(RADIUS), ball(0.1, [0.8, 0.8, 0.8])];
    const field = analyticField((x, y, z) => Math.min(big(x, y, z), small(x, y, z)));
    const part = sphere(2, 0.1, [0.8, 0.8, 0.8]);
    const check = async (mesh: typeof part) =>
      (await checkMesh(typed(mesh), { field, domain: CUBE, samples: 0 })).isOutwardOriented;
    expect(await check(join(sphere(4, RADIUS), part))).toBe(true);
    expect(await check(join(sphere(4, RADIUS), flipped(part)))).toBe(false);
  });

  it('a cavity faces inwards and is right', async () => {
    const shell = analyticField((x, y, z) => Math.abs(Math.hypot(x, y, z) - 0.5) - 0.1);
    const mesh = join(sphere(4, 0.6), flipped(sphere(4, 0.4)));
    const report = await checkMesh(typed(mesh), { field: shell, domain: CUBE, samples: 500 });
    expect(report).toMatchObject({ isOutwardOriented: true, nComponents: 2, isClosed: true });
    expect(report.zeroSetToMesh?.max).toBeLessThan(0.01);
  });

  it('a cavity in which f is zero has no gradient to face, and is right all the same', async () => {
    const shell = analyticField((x, y, z) => {
      const r = Math.hypot(x, y, z);
      return r < 0.41 ? 0 : Math.abs(r - 0.5) - 0.1;
    });
    const [outside, cavity] = [sphere(4, 0.6), sphere(4, 0.405)];
    const check = async (mesh: typeof cavity) =>
      (await checkMesh(typed(mesh), { field: shell, domain: CUBE, samples: 0 })).isOutwardOriented;
    expect(await check(join(outside, flipped(cavity)))).toBe(true);
    expect(await check(join(outside, cavity))).toBe(false);
  });

  it("a part along a crease, whose other side's gradient leads inwards, faces as f's signs say", async () => {
    const small = ball(0.1, [0.8, 0.8, 0.8]);
    const honest = analyticField((x, y, z) => Math.min(ball(RADIUS)(x, y, z), small(x, y, z)));
    const field: CheckField = {
      evaluate: honest.evaluate.bind(honest),
      evaluateWithGradient(points, values, gradients, n = points.length / 3) {
        honest.evaluateWithGradient(points, values, gradients, n);
        for (let i = 0; i < n * 3; i++) if (points[i - (i % 3)] > 0.6) gradients[i] *= -1;
      },
    };
    const part = sphere(2, 0.1, [0.8, 0.8, 0.8]);
    const check = async (mesh: typeof part) =>
      (await checkMesh(typed(mesh), { field, domain: CUBE, samples: 0 })).isOutwardOriented;
    expect(await check(join(sphere(4, RADIUS), part))).toBe(true);
    expect(await check(join(flipped(sphere(4, RADIUS)), part))).toBe(false);
  });

  it('an empty mesh of a field with a zero set, and a mesh of a field without one', async () => {
    const empty = typed({ positions: [], indices: [] });
    const missing = await checkMesh(empty, OPTIONS);
    expect(missing.zeroSetToMesh?.max).toBe(Number.POSITIVE_INFINITY);
    expect(missing.meshToZeroSet).toMatchObject({ n: 0, max: 0 });
    const nothing = { ...OPTIONS, field: analyticField(() => 1), samples: 100 };
    expect((await checkMesh(empty, nothing)).zeroSetToMesh).toMatchObject({ n: 0, max: 0 });
    expect((await checkMesh(typed(sphere(1)), nothing)).meshToZeroSet?.max).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes the mesh for the domain where none is given', async () => {
    const report = await checkMesh(typed(sphere(4, RADIUS)), { field: FIELD, samples: 500 });
    expect(report.zeroSetToMesh?.max).toBeLessThan(0.01);
  });

  it('a seed decides the samples', async () => {
    const run = async (seed: number) =>
      (await checkMesh(typed(sphere(3)), { ...OPTIONS, seed })).zeroSetToMesh;
    expect(await run(5)).toEqual(await run(5));
    expect(await run(5)).not.toEqual(await run(6));
  });

  it('stops when told to, with the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let nCalls = 0;
    const field = analyticField((x, y, z) => {
      if (++nCalls === 1e5) controller.abort(reason);
      return ball(RADIUS)(x, y, z);
    });
    const options = { ...OPTIONS, field, samples: 1e6, signal: controller.signal };
    await expect(checkMesh(typed(sphere(4)), options)).rejects.toBe(reason);
    expect(nCalls).toBeLessThan(1e6);
  });
});

describe('the samples', () => {
  it('of a mesh are uniform by area', () => {
    // Two squares, one with three times the area.
    const mesh = typed({
      positions: [0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 2, 0, 0, 5, 0, 0, 5, 1, 0, 2, 1, 0],
      indices: [0, 1, 2, 0, 2, 3, 4, 5, 6, 4, 6, 7],
    });
    const points = sampleMesh(mesh, 4000, createRandom(2));
    const xs = Array.from({ length: 4000 }, (_, i) => points[i * 3]);
    expect(xs.filter((x) => x < 1).length).toBe(1000);
    const mean = xs.filter((x) => x > 1).reduce((sum, x) => sum + x, 0) / 3000;
    expect(mean).toBeCloseTo(3.5, 1);
  });

  it('of a zero set lie on it and are uniform by area', () => {
    const radius = 0.55;
    const points = [...sampleZeroSet(analyticField(ball(radius)), CUBE, 8000, createRandom(3))].flatMap(
      (p) => [...p],
    );
    const n = points.length / 3;
    expect(n).toBeGreaterThanOrEqual(8000);
    const octants = new Array(8).fill(0);
    const thirds = [0, 0, 0];
    for (let k = 0; k < points.length; k += 3) {
      const [x, y, z] = points.slice(k, k + 3);
      expect(Math.abs(Math.hypot(x, y, z) - radius)).toBeLessThan(1e-9);
      octants[(x > 0 ? 1 : 0) + (y > 0 ? 2 : 0) + (z > 0 ? 4 : 0)]++;
      // Archimedes: equal heights of a sphere have equal areas.
      thirds[Math.min(2, Math.floor(((z / radius + 1) / 2) * 3))]++;
    }
    for (const count of octants) expect(Math.abs(count / (n / 8) - 1)).toBeLessThan(0.12);
    for (const count of thirds) expect(Math.abs(count / (n / 3) - 1)).toBeLessThan(0.06);
  });

  it('of a surface that leaves the domain stay inside', () => {
    const points = [...sampleZeroSet(analyticField(ball(0.9, [0.5, 0, 0])), CUBE, 2000, createRandom(3))];
    for (const batch of points) for (const x of batch) expect(Math.abs(x)).toBeLessThanOrEqual(1 + 1e-12);
  });
});

/** The least distance of a triangle's plane from the origin. */
function planeDistance({ positions, indices }: { positions: number[]; indices: number[] }): number {
  let least = Number.POSITIVE_INFINITY;
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => positions.slice(indices[t + k] * 3, indices[t + k] * 3 + 3));
    const u = b.map((x, k) => x - a[k]);
    const v = c.map((x, k) => x - a[k]);
    const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    least = Math.min(least, n.reduce((sum, x, k) => sum + x * a[k], 0) / Math.hypot(...n));
  }
  return least;
}
