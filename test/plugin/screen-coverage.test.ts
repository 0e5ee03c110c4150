import { describe, expect, it } from 'vitest';
import { coverageLimit } from '../../src/plugin/screen-coverage.ts';

const VIEW = { width: 800, height: 600, focalPixels: 900 };

/** Share of the view that a sphere's disc covers, as engines reckon it, at a distance to its centre. */
function coverageAt(distance: number, radius: number): number {
  const radiusPixels = (VIEW.focalPixels * radius) / distance;
  return (Math.PI * radiusPixels ** 2) / (VIEW.width * VIEW.height);
}

describe('coverageLimit', () => {
  it.each([
    [1, 0.01, 1],
    [1, 0.2, 1],
    [250, 3, 2],
    [0.01, 1e-5, 0.5],
  ])(
    'is where the nearest point shows the error: radius %d, error %d, %d pixels',
    (radius, error, pixels) => {
      // At the surface of the sphere nearest to the eye an error covers focal * error / (distance - radius) pixels.
      const distance = radius + (VIEW.focalPixels * error) / pixels;
      const query = { errorLocal: error, radiusLocal: radius, screenError: pixels };
      const viewPixels = VIEW.width * VIEW.height;
      const limit = coverageLimit({ ...query, focalPixels: VIEW.focalPixels, viewPixels });
      expect(limit / coverageAt(distance, radius)).toBeCloseTo(1, 9);
    },
  );

  it('in a parallel view is where the error covers that many pixels', () => {
    const query = { errorLocal: 0.01, radiusLocal: 2, screenError: 1, viewPixels: 480_000 };
    // One unit covers 100 pixels then, the sphere's disc 200 across its radius.
    const limit = coverageLimit({ ...query, focalPixels: Number.POSITIVE_INFINITY });
    expect(limit * 480_000).toBeCloseTo(Math.PI * 200 ** 2, 6);
  });

  it('grows without bound as a level gets exact, up to the eye at its surface', () => {
    const query = { radiusLocal: 1, screenError: 1, focalPixels: 900, viewPixels: 480_000 };
    expect(coverageLimit({ ...query, errorLocal: 0 })).toBeCloseTo(coverageAt(1, 1), 9);
    expect(coverageLimit({ ...query, errorLocal: 1e-4 })).toBeGreaterThan(
      coverageLimit({ ...query, errorLocal: 1e-3 }),
    );
  });
});
