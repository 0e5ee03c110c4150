import type { Background } from './stage.ts';

/** A soft box of the studio: where it hangs (azimuth, elevation), how far it spreads, in degrees, and its light. */
interface SoftBox {
  readonly azimuth: number;
  readonly elevation: number;
  readonly spread: readonly [horizontal: number, vertical: number];
  readonly rgb: readonly [number, number, number];
}

const STUDIO: readonly SoftBox[] = [
  { azimuth: 128, elevation: 42, spread: [24, 18], rgb: [5.6, 5.0, 4.3] },
  { azimuth: 20, elevation: 14, spread: [16, 36], rgb: [0.7, 0.85, 1.1] },
  { azimuth: 285, elevation: 24, spread: [15, 40], rgb: [2.9, 3.2, 3.8] },
  { azimuth: 0, elevation: 88, spread: [80, 24], rgb: [1.0, 1.0, 1.05] },
];

/** A low warm sun and a blue sky. */
const SUNSET: readonly SoftBox[] = [
  { azimuth: 118, elevation: 14, spread: [18, 14], rgb: [9.0, 4.6, 2.0] },
  { azimuth: 300, elevation: 40, spread: [70, 50], rgb: [0.45, 0.6, 1.1] },
];

/** The same light from everywhere: shows shape by its edges, and colours as they are. */
const EVEN: readonly SoftBox[] = [{ azimuth: 0, elevation: 90, spread: [180, 120], rgb: [1.15, 1.15, 1.15] }];

const ENVIRONMENTS = { studio: STUDIO, sunset: SUNSET, even: EVEN };

/** The light that an object stands in. */
export type EnvironmentName = keyof typeof ENVIRONMENTS;

export function isEnvironment(name: string): name is EnvironmentName {
  return Object.hasOwn(ENVIRONMENTS, name);
}

/**
 * Linear RGB that an environment sends from a direction, for either engine.
 * @param azimuth degrees; 0 is -x, 90 is -z of glTF's space
 * @param elevation degrees over the horizon
 */
export function studioRadiance(
  azimuth: number,
  elevation: number,
  name: EnvironmentName,
): [number, number, number] {
  const height = elevation / 90;
  const ambient = height > 0 ? 0.14 + 0.16 * height : 0.14 + 0.08 * height;
  const rgb: [number, number, number] = [ambient * 0.99, ambient, ambient * 1.02];
  for (const box of ENVIRONMENTS[name]) {
    const around = ((azimuth - box.azimuth + 540) % 360) - 180;
    // Near the pole a box spans every azimuth.
    const dx = (around * Math.cos((elevation * Math.PI) / 180)) / box.spread[0];
    const dy = (elevation - box.elevation) / box.spread[1];
    const weight = Math.exp(-((dx * dx + dy * dy) ** 2));
    for (let channel = 0; channel < 3; channel++) rgb[channel] += weight * box.rgb[channel];
  }
  return rgb;
}

/** Texels an axis of the backdrop. */
export const BACKDROP_SIZE = 512;

/** Colours from the middle to the border. */
const BACKDROPS: Readonly<Record<Background, readonly string[]>> = {
  studio: ['#515b6a', '#323945', '#1b1f26', '#13161a'],
  light: ['#ffffff', '#eef0f3', '#d9dde3', '#c6ccd4'],
  dark: ['#0d0f12', '#0d0f12', '#0d0f12', '#0d0f12'],
};

/** Paints what lies behind everything, which the engines draw so that shadows blend onto something opaque. */
export function paintBackdrop(context: CanvasRenderingContext2D, background: Background): void {
  const gradient = context.createRadialGradient(215, 205, 0, 215, 205, 480);
  const colors = BACKDROPS[background] ?? BACKDROPS.studio;
  for (const [i, color] of colors.entries()) gradient.addColorStop([0, 0.42, 0.8, 1][i], color);
  context.fillStyle = gradient;
  context.fillRect(0, 0, BACKDROP_SIZE, BACKDROP_SIZE);
}
