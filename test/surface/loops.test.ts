import { describe, expect, it } from 'vitest';
import type { FaceTable } from '../../src/surface/faces.ts';
import { LoopLinker } from '../../src/surface/loops.ts';
import type { RectTable } from '../../src/surface/rects.ts';

/** A curve on a side of the leaf: its axis, whether that is the upper one, and its vertices seen from the upper side. */
type Curve = readonly [axis: number, isUpper: number, ...chain: number[]];

/** A linker of one leaf, node 0, with one rectangle a curve. */
function linkerOf(curves: readonly Curve[]): LoopLinker {
  const starts = (lengths: readonly number[]) =>
    [0, ...lengths].map((_, i) => lengths.slice(0, i).reduce((sum, n) => sum + n, 0));
  const rects: Partial<RectTable> = {
    axis: Int32Array.from(curves, ([axis]) => axis),
    list: Int32Array.from(curves, ([, isUpper], rect) => rect * 2 + isUpper),
    listStart: Int32Array.of(0, curves.length),
  };
  const chains = curves.map(([, , ...chain]) => chain);
  const faces: Partial<FaceTable> = {
    curveStart: Int32Array.from(starts(curves.map(() => 1))),
    chainStart: Int32Array.from(starts(chains.map(({ length }) => length))),
    chain: Int32Array.from(chains.flat()),
  };
  return new LoopLinker(rects as RectTable, faces as FaceTable);
}

/** Vertices of the loops of node 0. */
function loopsOf(linker: LoopLinker): number[][] {
  return Array.from({ length: linker.nLoops }, (_, l) => [
    ...linker.vertex.subarray(linker.start[l], linker.start[l + 1]),
  ]);
}

describe('LoopLinker', () => {
  it('joins curves end to start, whatever their order, and names every side of a vertex', () => {
    const linker = linkerOf([
      [0, 1, 10, 20, 11],
      [2, 1, 12, 10],
      [1, 1, 11, 12],
    ]);
    expect(linker.link(0)).toBe(true);
    expect(loopsOf(linker)).toEqual([[10, 20, 11, 12]]);
    const [x, y, z] = [1 << 1, 1 << 3, 1 << 5];
    expect([...linker.sides.subarray(0, 4)]).toEqual([x | z, x, x | y, y | z]);
  });

  it('goes the other way along curves on lower sides', () => {
    const linker = linkerOf([
      [0, 0, 11, 20, 10],
      [1, 0, 12, 11],
      [2, 1, 12, 10],
    ]);
    expect(linker.link(0)).toBe(true);
    expect(loopsOf(linker)).toEqual([[10, 20, 11, 12]]);
    expect(linker.sides[1]).toBe(1 << 0);
  });

  it('finds several loops, one of them on one side alone', () => {
    const linker = linkerOf([
      [0, 1, 1, 2],
      [0, 1, 5, 6, 7, 5],
      [1, 1, 2, 1],
    ]);
    expect(linker.link(0)).toBe(true);
    expect(loopsOf(linker)).toEqual([
      [1, 2],
      [5, 6, 7],
    ]);
  });

  it('starts anew with every leaf, and gives none where there are no curves', () => {
    const linker = linkerOf([
      [0, 1, 1, 2],
      [1, 1, 2, 1],
    ]);
    expect(linker.link(0) && linker.link(0)).toBe(true);
    expect(loopsOf(linker)).toEqual([[1, 2]]);
    const none = linkerOf([]);
    expect([none.link(0), none.nLoops]).toEqual([true, 0]);
  });

  it('tells of curves that do not close up', () => {
    expect(linkerOf([[0, 1, 1, 2], [1, 1, 2, 3]]).link(0)).toBe(false); // biome-ignore format: one line
    // Two ends at one root, and two starts at another: turned round.
    expect(linkerOf([[0, 1, 1, 2], [1, 0, 2, 1]]).link(0)).toBe(false); // biome-ignore format: one line
  });
});
