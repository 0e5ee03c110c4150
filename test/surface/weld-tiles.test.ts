import { describe, expect, it } from 'vitest';
import type { Box3 } from '../../src/format/asset.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { TileWelder } from '../../src/surface/weld-tiles.ts';
import { runSteps } from '../partition/run-steps.ts';

const BOUNDS: Box3 = { min: [-1, -1, -1], max: [1, 1, 1] };
const FAR = 3e38;
const LOWER: Box3 = { min: [-FAR, -FAR, -FAR], max: [0, FAR, FAR] };
const UPPER: Box3 = { min: [0, -FAR, -FAR], max: [FAR, FAR, FAR] };

/** A strip of two rows in the plane z = 0 from one x to another; it ends on the bounds in y. */
function strip(from: number, to: number, middle: number): SurfaceMesh {
  const places = [
    [from, -1],
    [to, -1],
    [from, middle],
    [to, middle],
    [from, 1],
    [to, 1],
  ];
  return {
    positions: Float32Array.from(places.flatMap(([x, y]) => [x, y, 0])),
    normals: Float32Array.from(places.flatMap(() => [0, 0, 1])),
    indices: Uint32Array.of(0, 1, 2, 2, 1, 3, 2, 3, 4, 4, 3, 5),
  };
}

function weldOf(lower: SurfaceMesh, upper: SurfaceMesh): SurfaceMesh | number {
  const welder = new TileWelder(BOUNDS, 1e-3);
  runSteps(welder.add(lower, LOWER));
  runSteps(welder.add(upper, UPPER));
  return runSteps(welder.finish());
}

describe('the welder of tiles', () => {
  it('gives vertices on a seam one number, and leaves all others as they are', () => {
    const mesh = weldOf(strip(-1, 0, 0.25), strip(0, 1, 0.25)) as SurfaceMesh;
    expect(mesh.positions.length / 3).toBe(9);
    expect([...mesh.indices]).toEqual([
      0, 1, 2, 2, 1, 3, 2, 3, 4, 4, 3, 5, 1, 6, 3, 3, 6, 7, 3, 7, 5, 5, 7, 8,
    ]);
    expect([...mesh.positions.subarray(18, 21)]).toEqual([1, -1, 0]);
  });

  it('takes vertices that were moved a little off their plane for what they are, and both zeros for one', () => {
    const [lower, upper] = [strip(-1, 0.0005, 0.25), strip(0.0005, 1, 0.25)];
    upper.positions[2] = -0;
    expect((weldOf(lower, upper) as SurfaceMesh).positions.length / 3).toBe(9);
  });

  it('adds up the normals of both sides, by the areas that have them', () => {
    const [lower, upper] = [strip(-1, 0, 0), strip(0, 0.5, 0)];
    for (let v = 0; v < 6; v++) upper.normals.set([1, 0, 0], 3 * v);
    const { normals } = weldOf(lower, upper) as SurfaceMesh;
    // Twice the area on the left.
    expect(normals[3 * 3]).toBeCloseTo(1 / Math.sqrt(5), 6);
    expect(normals[3 * 3 + 2]).toBeCloseTo(2 / Math.sqrt(5), 6);
    expect([...normals.subarray(0, 3)]).toEqual([0, 0, 1]);
  });

  it('counts sides that do not fit together', () => {
    expect(weldOf(strip(-1, 0, 0.25), strip(0, 1, 0.5))).toBe(4);
    const wrong = strip(0, 1, 0.25);
    wrong.indices.set([0, 2, 1, 2, 3, 1, 2, 4, 3, 4, 5, 3]);
    expect(weldOf(strip(-1, 0, 0.25), wrong)).toBeGreaterThan(0);
  });

  it('gives an empty mesh for tiles without surface', () => {
    const empty = { positions: new Float32Array(), normals: new Float32Array(), indices: new Uint32Array() };
    expect(weldOf(empty, empty)).toEqual(empty);
  });
});
