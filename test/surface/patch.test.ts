import { describe, expect, it } from 'vitest';
import { MAX_CHORDS } from '../../src/surface/patch.ts';
import { octahedronMlp, planeMlp } from '../fixtures/fields.ts';
import { addPolygon, patchOf } from './tiny-patch.ts';

const UP = [0, 0, 1] as const;
const flat = () => patchOf(planeMlp([0, 0, 1], 0.125), [-0.5, -0.5, -0.5], [1, 1, 1], UP);

describe('Patch', () => {
  it('puts points on the zero set along its direction, inside of its box alone', () => {
    const patch = flat();
    expect(patch.project(0.2, -0.3, -0.4)).toBe(true);
    expect([...patch.point].map((x) => Number(x.toFixed(12)))).toEqual([0.2, -0.3, 0.125]);
    const beyond = patchOf(planeMlp([0, 0, 1], 0.125), [-0.5, -0.5, -0.5], [1, 1, 0.5625], UP);
    expect(beyond.project(0.2, -0.3, -0.4)).toBe(false);
  });

  it('notes a vertex that is not reached in the box, and is no longer sound', () => {
    const patch = patchOf(planeMlp([0, 0, 1], 0.125), [-0.5, -0.5, -0.5], [1, 1, 0.5625], UP);
    const v = patch.addProjected(0.2, -0.3, -0.4, -1);
    expect([patch.x[v], patch.y[v], patch.z[v]]).toEqual([0.2, -0.3, -0.4]);
    expect([patch.isSound, patch.unsound]).toEqual([false, [v]]);
    patch.clear();
    expect([patch.isSound, patch.unsound, patch.nVertices]).toEqual([true, [], 0]);
  });

  it('descends to the zero set, or says that it does not', () => {
    const patch = patchOf(octahedronMlp(0.625), [0, 0, 0], [1, 1, 1], UP);
    expect(patch.descend(0.3, 0.3, 0.3)).toBe(true);
    expect(patch.point[0] + patch.point[1] + patch.point[2]).toBeCloseTo(0.625, 12);
    // From the far corner the way leads through a side of the box.
    expect(patch.descend(0.99, 0.01, 0.3)).toBe(false);
  });

  it('is counter-clockwise seen against its direction, for any direction', () => {
    for (const direction of [UP, [1, 0, 0], [0, -1, 0], [0.6, 0, -0.8]] as const) {
      const patch = patchOf(planeMlp(), [-0.5, -0.5, -0.5], [1, 1, 1], direction);
      const [x, y, z] = direction;
      // Any vector beside the direction, and the one at a right angle to both.
      const u = Math.abs(z) > 0.9 ? [1, 0, 0] : [-y - z, x, x];
      const w = [y * u[2] - z * u[1], z * u[0] - x * u[2], x * u[1] - y * u[0]];
      const [a, b, c] = addPolygon(patch, [[0, 0, 0], u, w]);
      expect(patch.area(a, b, c)).toBeGreaterThan(0);
      expect(patch.area(a, c, b)).toBeLessThan(0);
      // Moved along the direction it stays where it is in the plane.
      const [qx, qy] = [patch.qx[b], patch.qy[b]];
      patch.setPosition(b, patch.x[b] + 0.3 * x, patch.y[b] + 0.3 * y, patch.z[b] + 0.3 * z);
      expect([patch.qx[b] - qx, patch.qy[b] - qy].every((d) => Math.abs(d) < 1e-15)).toBe(true);
    }
  });

  it('is filled soundly where no triangle is turned over', () => {
    const patch = flat();
    const [a, b, c] = addPolygon(patch, [[0, 0, 0.1], [0.1, 0, 0.1], [0, 0.1, 0.1]]); // biome-ignore format: one line
    patch.triangles.push(a, b, c);
    expect(patch.isFilledSoundly()).toBe(true);
    patch.triangles.push(a, c, b);
    expect(patch.isFilledSoundly()).toBe(false);
  });

  it('tells vertices of one side, of one chord, and of neither, for every chord there may be', () => {
    const patch = flat();
    const [a, b, c] = addPolygon(patch, [[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]]); // biome-ignore format: one line
    for (let chord = 0; chord < MAX_CHORDS; chord++) {
      patch.maskA.fill(0);
      patch.maskB.fill(0);
      patch.markChord(a, chord);
      patch.markChord(b, chord);
      patch.markChord(c, (chord + 1) % MAX_CHORDS);
      expect([patch.sharesLine(a, b), patch.sharesLine(a, c), patch.sharesSide(a, b)]).toEqual([
        true,
        false,
        false,
      ]);
    }
    patch.maskA[a] = patch.maskA[c] = 1 << 5;
    expect([patch.sharesLine(a, c), patch.sharesSide(a, c)]).toEqual([true, true]);
  });

  it('measures distances to first order, and by a change of sign where that says nothing', () => {
    expect(flat().deviation(0.2, 0.2, 0.375)).toBeCloseTo(0.25, 12);
    // Above a crease |f| / |∇f| is more than the distance along the direction, which a sign change bounds.
    const patch = patchOf(octahedronMlp(0.625), [-1, -1, 0], [2, 2, 1], UP);
    const off = patch.deviation(0, 0, 0.725);
    expect(patch.deviationWithin(0, 0, 0.725, 0.5 * off, 1)).toBe(off);
    const steep = patchOf(planeMlp([0.06, 0, 0.08], 0), [-1, -1, -1], [2, 2, 2], UP);
    expect(steep.deviationWithin(0, 0, 0.1, 0.09, 1)).toBeCloseTo(0.08, 6);
  });
});
