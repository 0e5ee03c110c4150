import {
  CanvasTexture,
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
  SRGBColorSpace,
} from 'three';

/** A soft box of the studio: where it hangs (azimuth, elevation), how far it spreads, in degrees, and its light. */
interface SoftBox {
  readonly azimuth: number;
  readonly elevation: number;
  readonly spread: readonly [horizontal: number, vertical: number];
  readonly rgb: readonly [number, number, number];
}

const SOFT_BOXES: readonly SoftBox[] = [
  { azimuth: 128, elevation: 42, spread: [24, 18], rgb: [5.6, 5.0, 4.3] },
  { azimuth: 20, elevation: 14, spread: [16, 36], rgb: [0.7, 0.85, 1.1] },
  { azimuth: 285, elevation: 24, spread: [15, 40], rgb: [2.9, 3.2, 3.8] },
  { azimuth: 0, elevation: 88, spread: [80, 24], rgb: [1.0, 1.0, 1.05] },
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
  const ambient = height > 0 ? 0.14 + 0.16 * height : 0.14 + 0.08 * height;
  const rgb = [ambient * 0.99, ambient, ambient * 1.02];
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
  const light = new DirectionalLight(0xffe9d2, 2.3);
  light.castShadow = true;
  light.shadow.mapSize.set(2048, 2048);
  light.shadow.radius = 5;
  light.shadow.bias = -0.0004;
  light.shadow.normalBias = 0.02;
  return light;
}

/** The backdrop, drawn by the renderer so that shadows blend onto something opaque: the page's own gradient. */
export function createBackdrop(): CanvasTexture {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 512;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  const gradient = context.createRadialGradient(215, 205, 0, 215, 205, 480);
  gradient.addColorStop(0, '#515b6a');
  gradient.addColorStop(0.42, '#323945');
  gradient.addColorStop(0.8, '#1b1f26');
  gradient.addColorStop(1, '#13161a');
  context.fillStyle = gradient;
  context.fillRect(0, 0, 512, 512);
  const texture = new CanvasTexture(canvas);
  texture.colorSpace = SRGBColorSpace;
  return texture;
}
