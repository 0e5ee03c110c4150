import { describe, expect, it } from 'vitest';
import { ChordSplitter } from '../../src/surface/chords.ts';
import { layer, plainMlp } from '../fixtures/fields.ts';
import { addPolygon, wholeDomainPatch } from './tiny-patch.ts';

const UP = [0, 0, 1] as const;

/**
 * z = relu(slope x) + relu(second (y - x / 2)) - 7/8: creases at x = 0 and along a line that crosses it, on one sheet, which
 * keeps off z = 0, where z itself folds.
 */
const bent = (slope: number, second: number) =>
  plainMlp('bent', [
    layer([[slope, 0, 0], [-0.5 * second, second, 0], [0, 0, 1], [0, 0, -1]], [0, 0, 0, 0]), // biome-ignore format: one line
    layer([[-1, -1, 1, -1]], [0.875]),
  ]);
const height = (x: number, y: number, slope: number, second: number) =>
  Math.max(0, slope * x) + Math.max(0, second * (y - 0.5 * x)) - 0.875;

/** The loop of the sheet in the domain [-1, 1]³: counter-clockwise, with a vertex wherever a crease meets a side. */
function bentPatch(slope = 0.25, second = 0.5) {
  const patch = wholeDomainPatch(bent(slope, second), UP);
  const outline = [[-1, -1], [0, -1], [1, -1], [1, 0.5], [1, 1], [0, 1], [-1, 1], [-1, -0.5]]; // biome-ignore format: one line
  addPolygon(
    patch,
    outline.map(([x, y]) => [x, y, height(x, y, slope, second)]),
  );
  // Bits of the sides that each vertex lies on, as the linker gives them.
  patch.maskA.splice(0, 8, 5, 4, 6, 2, 10, 8, 9, 1);
  return patch;
}

describe('ChordSplitter', () => {
  it('cuts along every crease, with one vertex where two of them cross', () => {
    const patch = bentPatch();
    const splitter = new ChordSplitter(patch);
    expect(splitter.split(0)).toBe(true);
    expect(splitter.nMissed).toBe(0);
    expect(patch.polygons).toHaveLength(4);
    expect(patch.nVertices).toBe(9);
    expect(Math.hypot(patch.x[8], patch.y[8], patch.z[8] + 0.875)).toBeLessThan(1e-8);
    expect(patch.polygons.filter((polygon) => polygon.includes(8))).toHaveLength(4);
    // Each part lies on one side of both creases: the sheet is flat in it.
    for (const polygon of patch.polygons) {
      const signs = (of: (x: number, y: number) => number) =>
        new Set(polygon.map((v) => Math.sign(Number(of(patch.x[v], patch.y[v]).toFixed(9)))).filter(Boolean));
      expect(signs((x) => x).size).toBe(1);
      expect(signs((x, y) => y - 0.5 * x).size).toBe(1);
    }
  });

  it('marks the ends of a chord, so that no diagonal joins them', () => {
    const patch = bentPatch();
    new ChordSplitter(patch).split(0);
    expect(patch.nChords).toBeGreaterThanOrEqual(2);
    expect(patch.sharesLine(1, 5)).toBe(true);
    expect(patch.sharesLine(1, 8) && patch.sharesLine(8, 5)).toBe(true);
    // The second crease is cut in both parts of the first.
    expect(patch.sharesLine(3, 8) && patch.sharesLine(8, 7)).toBe(true);
    expect(patch.sharesLine(0, 4)).toBe(false);
  });

  it('leaves out creases that bend the surface less than a share of the tolerance', () => {
    const patch = bentPatch(2 ** -9);
    expect(new ChordSplitter(patch).split(0.02)).toBe(true);
    expect(patch.polygons).toHaveLength(2);
    const coarse = bentPatch();
    expect(new ChordSplitter(coarse).split(100)).toBe(true);
    expect(coarse.polygons).toHaveLength(1);
    expect(coarse.nVertices).toBe(8);
  });

  describe('with both ends of a crease on one side of the box', () => {
    const onOneSide = (second: number) => {
      const patch = bentPatch(0.25, second);
      patch.maskA[1] |= 1 << 4;
      patch.maskA[5] |= 1 << 4;
      return patch;
    };

    it('refuses the chord, and counts it', () => {
      const patch = onOneSide(0);
      const splitter = new ChordSplitter(patch);
      expect(splitter.split(0)).toBe(true);
      expect(patch.polygons).toHaveLength(1);
      expect(splitter.nMissed).toBe(1);
    });

    it('goes by the crossing with a later crease where there is one', () => {
      const patch = onOneSide(0.5);
      const splitter = new ChordSplitter(patch);
      expect(splitter.split(0)).toBe(true);
      expect(patch.polygons).toHaveLength(4);
      expect(splitter.nMissed).toBe(0);
    });
  });

  it('does the same each time', () => {
    const [a, b] = [bentPatch(), bentPatch()];
    const splitter = new ChordSplitter(a);
    splitter.split(0);
    new ChordSplitter(b).split(0);
    expect([a.polygons, a.x, a.maskA]).toEqual([b.polygons, b.x, b.maskA]);
  });
});
