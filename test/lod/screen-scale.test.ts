import { describe, expect, it } from 'vitest';
import { type Eye, measureOnScreen } from '../../src/lod/index.ts';
import { seededRandom } from '../fixtures/random.ts';
import { BOUNDS, EYE, orthographic, perspective, translation } from './fake-levels.ts';

const measure = (worldMatrix: number[], eye: Eye = EYE, bounds = BOUNDS) =>
  measureOnScreen(eye, worldMatrix, bounds, { pixelsPerUnit: 0, diameter: 0, isInView: false });

/** Turns about y by an angle, scales, then moves. */
function placed(angle: number, scale: readonly number[], at: readonly number[]): number[] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const [x, y, z] = scale;
  return [c * x, 0, -s * x, 0, 0, y, 0, 0, s * z, 0, c * z, 0, at[0], at[1], at[2], 1];
}

function transform(m: ArrayLike<number>, [x, y, z]: readonly number[]): number[] {
  return [0, 1, 2, 3].map((row) => m[row] * x + m[4 + row] * y + m[8 + row] * z + m[12 + row]);
}

function toPixels(eye: Eye, worldMatrix: number[], local: readonly number[]): number[] {
  const [x, y, z] = transform(worldMatrix, local);
  const [cx, cy, , w] = transform(eye.projectionMatrix, transform(eye.viewMatrix, [x, y, z]));
  return [((cx / w) * eye.viewportHeight) / 2, ((cy / w) * eye.viewportHeight) / 2];
}

describe('measuring on screen', () => {
  it('in perspective: pixels fall with the distance to the nearest point', () => {
    const near = measure(translation(0, 0, -10));
    // The nearest corner lies 0.5 up and 0.5 aside at a depth of 9.5.
    const offAxis = (depth: number): number => Math.sqrt(1 + 2 * (0.5 / depth) ** 2);
    expect(near.pixelsPerUnit).toBeCloseTo((100 / 9.5) * offAxis(9.5), 6);
    expect(near.diameter).toBeCloseTo(Math.sqrt(3) * near.pixelsPerUnit, 6);
    const far = measure(translation(0, 0, -100)).pixelsPerUnit;
    expect(far).toBeCloseTo((100 / 99.5) * offAxis(99.5), 6);
  });

  it('in orthographic views distance means nothing, zoom does', () => {
    const eye = { ...EYE, projectionMatrix: orthographic(5, 5) };
    expect(measure(translation(0, 0, -3), eye).pixelsPerUnit).toBeCloseTo(20, 6);
    expect(measure(translation(0, 0, -90), eye)).toEqual(measure(translation(0, 0, -3), eye));
    const zoomed = { ...EYE, projectionMatrix: orthographic(2.5, 2.5) };
    expect(measure(translation(0, 0, -3), zoomed).pixelsPerUnit).toBeCloseTo(40, 6);
    expect(measure(translation(7, 0, -3), eye).isInView).toBe(false);
    expect(measure(translation(5.2, 0, -3), eye).isInView).toBe(true);
  });

  it('takes in the scale of the world, the largest one where the axes differ', () => {
    const alone = measure(translation(0, 0, -100)).pixelsPerUnit;
    expect(measure(placed(0.4, [2, 2, 2], [0, 0, -100])).pixelsPerUnit / alone).toBeCloseTo(2, 1);
    expect(measure(placed(0, [1, 3, 1], [0, 0, -100])).pixelsPerUnit / alone).toBeCloseTo(3, 1);
  });

  it('around the eye the near plane decides, and a flattened or huge object gives finite numbers', () => {
    expect(measure(translation(0, 0, 0)).pixelsPerUnit).toBeCloseTo((100 / EYE.near) * Math.sqrt(3), 0);
    expect(measure(translation(0, 0, 0)).diameter).toBe(800);
    for (const scale of [
      [1, 0, 1],
      [0, 0, 0],
      [1e9, 1e9, 1e9],
    ]) {
      const seen = measure(placed(0.3, scale, [0, 0, -10]));
      expect(Number.isFinite(seen.pixelsPerUnit) && Number.isFinite(seen.diameter)).toBe(true);
    }
  });

  it('a long object beside the eye is not taken for one around it', () => {
    const seen = measure(translation(0, 0, -30), EYE, [-100, -1, -1, 100, 1, 1]);
    expect(seen.pixelsPerUnit).toBeLessThan((3 * 100) / 28);
  });

  it('sees what is in the view alone', () => {
    expect(measure(translation(0, 0, 10)).isInView).toBe(false);
    expect(measure(translation(11, 0, -10)).isInView).toBe(true);
    expect(measure(translation(12, 0, -10)).isInView).toBe(false);
    expect(measure(translation(0, -12, -10)).isInView).toBe(false);
  });

  it('holds for left-handed engines with depths from 0 to 1 and mirrored pictures', () => {
    const leftHanded = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1.00001, 1, 0, 0, -0.01, 0];
    const seen = measure(translation(2, 1, 10), { ...EYE, projectionMatrix: leftHanded });
    expect(seen).toEqual(measure(translation(2, 1, -10)));
    const mirrored = { ...EYE, projectionMatrix: perspective(1, -1) };
    expect(measure(translation(2, 1, -10), mirrored)).toEqual(measure(translation(2, 1, -10)));
  });

  it('no small shift of a point of the object moves it farther on screen than said', () => {
    const random = seededRandom(3);
    const eye = { ...EYE, projectionMatrix: perspective(0.8, 1.4) };
    let closest = 0;
    for (let i = 0; i < 2000; i++) {
      const world = placed(
        random() * 6,
        [1, 1, 1],
        [random() * 16 - 8, random() * 10 - 5, -2 - random() * 8],
      );
      const seen = measure(world, eye);
      if (!seen.isInView) continue;
      const local = [random() - 0.5, random() - 0.5, random() - 0.5];
      const shifted = local.map((c) => c + (random() - 0.5) * 1e-5);
      const [a, b] = [toPixels(eye, world, local), toPixels(eye, world, shifted)];
      const isVisible = Math.abs(a[0] * 0.8) <= 125 && Math.abs(a[1]) <= 100;
      if (!isVisible) continue;
      const shift = Math.hypot(...local.map((c, axis) => c - shifted[axis]));
      const ratio = Math.hypot(a[0] - b[0], a[1] - b[1]) / (shift * seen.pixelsPerUnit);
      expect(ratio).toBeLessThan(1 + 1e-4); // of the difference quotient
      closest = Math.max(closest, ratio);
    }
    expect(closest).toBeGreaterThan(0.5);
  });
});
