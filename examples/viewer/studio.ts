import {
  ClampToEdgeWrapping,
  DataTexture,
  DataUtils,
  DirectionalLight,
  EquirectangularReflectionMapping,
  HalfFloatType,
  LinearFilter,
  LinearSRGBColorSpace,
  RepeatWrapping,
  RGBAFormat,
} from 'three';

/** A soft box of the studio: where it hangs (azimuth, elevation), how far it spreads, in degrees, and its light. */
interface SoftBox {
  readonly azimuth: number;
  readonly elevation: number;
  readonly spread: readonly [horizontal: number, vertical: number];
  readonly rgb: readonly [number, number, number];
}

const SOFT_BOXES: readonly SoftBox[] = [
  { azimuth: 38, elevation: 38, spread: [26, 20], rgb: [9.5, 8.7, 7.7] },
  { azimuth: 128, elevation: 12, spread: [16, 34], rgb: [1.5, 2.2, 3.4] },
  { azimuth: 262, elevation: 26, spread: [14, 38], rgb: [4.4, 5.4, 7.2] },
  { azimuth: 0, elevation: 88, spread: [80, 26], rgb: [2.6, 2.6, 2.7] },
];

const WIDTH = 256;
const HEIGHT = 128;

/** Paints the studio as an equirectangular light map: no file to fetch, and both renderers prefilter it themselves. */
export function createStudioEnvironment(): DataTexture {
  const data = new Uint16Array(WIDTH * HEIGHT * 4);
  for (let row = 0; row < HEIGHT; row++) {
    const elevation = ((row + 0.5) / HEIGHT - 0.5) * 180;
    for (let column = 0; column < WIDTH; column++) {
      const azimuth = ((column + 0.5) / WIDTH) * 360;
      const at = (row * WIDTH + column) * 4;
      const rgb = radiance(azimuth, elevation);
      for (let channel = 0; channel < 3; channel++) data[at + channel] = DataUtils.toHalfFloat(rgb[channel]);
      data[at + 3] = DataUtils.toHalfFloat(1);
    }
  }
  const texture = new DataTexture(data, WIDTH, HEIGHT, RGBAFormat, HalfFloatType);
  texture.mapping = EquirectangularReflectionMapping;
  texture.colorSpace = LinearSRGBColorSpace;
  texture.wrapS = RepeatWrapping;
  texture.wrapT = ClampToEdgeWrapping;
  texture.minFilter = texture.magFilter = LinearFilter;
  texture.needsUpdate = true;
  return texture;
}

function radiance(azimuth: number, elevation: number): number[] {
  const height = elevation / 90;
  const ambient = height > 0 ? 0.3 + 0.28 * height : 0.3 + 0.2 * height;
  const rgb = [ambient * 0.97, ambient, ambient * 1.07];
  for (const box of SOFT_BOXES) {
    const around = ((azimuth - box.azimuth + 540) % 360) - 180;
    // Near the pole a box spans every azimuth.
    const dx = (around * Math.cos((elevation * Math.PI) / 180)) / box.spread[0];
    const dy = (elevation - box.elevation) / box.spread[1];
    const weight = Math.exp(-((dx * dx + dy * dy) ** 2));
    for (let channel = 0; channel < 3; channel++) rgb[channel] += weight * box.rgb[channel];
  }
  return rgb;
}

/** The key light, the only one that casts a shadow; its frustum is fitted to the object by the stage. */
export function createKeyLight(): DirectionalLight {
  const light = new DirectionalLight(0xfff1e0, 1.5);
  light.castShadow = true;
  light.shadow.mapSize.set(2048, 2048);
  light.shadow.radius = 7;
  light.shadow.bias = -0.0004;
  light.shadow.normalBias = 0.02;
  return light;
}
