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
import type { Background } from '../stage.ts';
import { BACKDROP_SIZE, type EnvironmentName, paintBackdrop, studioRadiance } from '../studio-light.ts';

const WIDTH = 256;
const HEIGHT = 128;

/** Paints the studio as an equirectangular light map: no file to fetch, and both renderers prefilter it themselves. */
export function createStudioEnvironment(name: EnvironmentName): DataTexture {
  const data = new Uint16Array(WIDTH * HEIGHT * 4);
  for (let row = 0; row < HEIGHT; row++) {
    const elevation = ((row + 0.5) / HEIGHT - 0.5) * 180;
    for (let column = 0; column < WIDTH; column++) {
      const azimuth = ((column + 0.5) / WIDTH) * 360;
      const at = (row * WIDTH + column) * 4;
      const rgb = studioRadiance(azimuth, elevation, name);
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

/** The backdrop, drawn by the renderer. */
export function createBackdrop(background: Background): CanvasTexture {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = BACKDROP_SIZE;
  paintBackdrop(canvas.getContext('2d') as CanvasRenderingContext2D, background);
  const texture = new CanvasTexture(canvas);
  texture.colorSpace = SRGBColorSpace;
  return texture;
}
