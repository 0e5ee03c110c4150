import { describe, expect, it } from 'vitest';
import { type Eye, measureOnScreen, viewBlocks } from '../../src/lod/index.ts';
import { seededRandom } from '../fixtures/random.ts';
import { orthographic, perspective } from './fake-levels.ts';

type Matrix = number[];
const random = seededRandom(11);
const between = (lo: number, hi: number) => lo + random() * (hi - lo);

function multiply(a: Matrix, b: Matrix): Matrix {
  return Array.from({ length: 16 }, (_, i) =>
    [0, 1, 2, 3].reduce((sum, k) => sum + a[(i % 4) + 4 * k] * b[k + 4 * (i >> 2)], 0),
  );
}

/** Gauss-Jordan. */
function inverse(m: Matrix): Matrix {
  const rows = [0, 1, 2, 3].map((r) => [
    ...[0, 1, 2, 3].map((c) => m[4 * c + r]),
    ...[0, 1, 2, 3].map((c) => (c === r ? 1 : 0)),
  ]);
  for (let c = 0; c < 4; c++) {
    const pivot = rows.slice(c).reduce((best, row) => (Math.abs(row[c]) > Math.abs(best[c]) ? row : best));
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(c, 0, pivot);
    for (let k = 0; k < 8; k++) if (k !== c) pivot[k] /= pivot[c];
    pivot[c] = 1;
    for (const row of rows) {
      if (row === pivot) continue;
      for (let k = 0; k < 8; k++) if (k !== c) row[k] -= row[c] * pivot[k];
      row[c] = 0;
    }
  }
  return Array.from({ length: 16 }, (_, i) => rows[i % 4][4 + (i >> 2)]);
}

function rigid(scale: number): Matrix {
  const [a, b] = [between(0, 6), between(-1.4, 1.4)];
  const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  const turnY = [ca, 0, -sa, 0, 0, 1, 0, 0, sa, 0, ca, 0, 0, 0, 0, 1];
  const turnX = [1, 0, 0, 0, 0, cb, sb, 0, 0, -sb, cb, 0, 0, 0, 0, 1];
  const place = [
    scale,
    0,
    0,
    0,
    0,
    scale,
    0,
    0,
    0,
    0,
    scale,
    0,
    between(-3, 3),
    between(-3, 3),
    between(-9, -5),
    1,
  ];
  return multiply(place, multiply(turnY, turnX));
}

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const anything = (): Matrix => IDENTITY.map((x) => x + between(-0.3, 0.3));
const BOX = [-1, -0.5, -2, 1, 2, 0.25] as const;

function measure(eye: Eye, world: Matrix) {
  return measureOnScreen(eye, world, BOX, { pixelsPerUnit: 0, diameter: 0, isInView: false });
}

const LENSES: [string, () => Matrix][] = [
  ['perspective', () => perspective(between(0.6, 2), between(0.6, 2))],
  ['orthographic', () => orthographic(between(2, 9), between(2, 9))],
  [
    'perspective with an offset',
    () => perspective(1, 1.5).map((x, i) => x + (i === 8 ? 0.3 : i === 9 ? -0.2 : 0)),
  ],
];

describe.each(LENSES)('%s', (_, lens) => {
  it('random splits of one product ask for the same level', () => {
    for (let i = 0; i < 60; i++) {
      const [projection, view, world] = [lens(), rigid(1), rigid(between(0.2, 3))];
      const plain = { near: 0.01, viewportHeight: 720 };
      const split = { ...plain, viewMatrix: view, projectionMatrix: projection };
      const expected = measure(split, world);
      const other = anything();
      const splits: Eye[] = [
        { ...plain, viewMatrix: IDENTITY, projectionMatrix: multiply(projection, view) },
        { ...plain, viewMatrix: multiply(projection, view), projectionMatrix: IDENTITY },
        {
          ...plain,
          viewMatrix: multiply(other, view),
          projectionMatrix: multiply(projection, inverse(other)),
        },
      ];
      for (const eye of splits) {
        const seen = measure(eye, world);
        expect(seen.isInView).toBe(expected.isInView);
        expect(seen.pixelsPerUnit / expected.pixelsPerUnit).toBeCloseTo(1, 6);
        expect(seen.diameter / expected.diameter).toBeCloseTo(1, 6);
        const options = { counts: [2, 2, 2] as const, tolerances: [0.5, 0.1, 0.02, 0.004] };
        const domain = { min: [-1, -1, -1], max: [1, 1, 1] } as const;
        expect(viewBlocks(domain, [eye], world, options)).toEqual(
          viewBlocks(domain, [split], world, options),
        );
      }
    }
  });

  it('where the width is known, so do splits between the camera and the object, scaled differently along the axes', () => {
    const [projection, view] = [lens(), rigid(1)];
    const world = multiply(rigid(1), [2, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1.5, 0, 0, 0, 0, 1]);
    const plain = { near: 0, viewportHeight: 500, viewportWidth: 900 };
    const a = measure({ ...plain, viewMatrix: view, projectionMatrix: projection }, world);
    const all = multiply(projection, multiply(view, world));
    const b = measure({ ...plain, viewMatrix: IDENTITY, projectionMatrix: all }, IDENTITY);
    expect(b.pixelsPerUnit / a.pixelsPerUnit).toBeCloseTo(1, 6);
    expect(b.diameter / a.diameter).toBeCloseTo(1, 6);
  });
});
