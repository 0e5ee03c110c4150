import { Constants } from '@babylonjs/core/Engines/constants.js';
import { DirectionalLight } from '@babylonjs/core/Lights/directionalLight.js';
import { ShadowGenerator } from '@babylonjs/core/Lights/Shadows/shadowGenerator.js';
import '@babylonjs/core/Lights/Shadows/shadowGeneratorSceneComponent.js';
import { Layer } from '@babylonjs/core/Layers/layer.js';
import { DynamicTexture } from '@babylonjs/core/Materials/Textures/dynamicTexture.js';
import { RawCubeTexture } from '@babylonjs/core/Materials/Textures/rawCubeTexture.js';
import { Color3 } from '@babylonjs/core/Maths/math.color.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import { CubeMapToSphericalPolynomialTools } from '@babylonjs/core/Misc/HighDynamicRange/cubemapToSphericalPolynomial.js';
import { ToHalfFloat } from '@babylonjs/core/Misc/textureTools.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { Background } from '../stage.ts';
import { BACKDROP_SIZE, type EnvironmentName, paintBackdrop, studioRadiance } from '../studio-light.ts';

/** Texels an axis of a face. */
const FACE_SIZE = 64;
const DEGREES = 180 / Math.PI;

/** Directions of a cube map's faces, in WebGL's order and orientation, for a texel at (a, b) in [-1, 1]². */
const FACES: readonly (readonly [string, (a: number, b: number) => readonly [number, number, number]])[] = [
  ['right', (a, b) => [1, -b, -a]],
  ['left', (a, b) => [-1, -b, a]],
  ['up', (a, b) => [a, 1, b]],
  ['down', (a, b) => [a, -1, -b]],
  ['front', (a, b) => [a, -b, 1]],
  ['back', (a, b) => [-a, -b, -1]],
];

/** Paints the studio as a cube map, prefiltered by its mipmaps: no file to fetch. */
export function createStudioEnvironment(scene: Scene, name: EnvironmentName): RawCubeTexture {
  const faces = FACES.map(([, direction]) => paintFace(direction, name));
  const packed = faces.map((rgba) => Uint16Array.from(rgba, ToHalfFloat));
  const { TEXTUREFORMAT_RGBA, TEXTURETYPE_HALF_FLOAT, TEXTURETYPE_FLOAT, TEXTURE_TRILINEAR_SAMPLINGMODE } =
    Constants;
  const texture = new RawCubeTexture(
    scene,
    packed,
    FACE_SIZE,
    TEXTUREFORMAT_RGBA,
    TEXTURETYPE_HALF_FLOAT,
    true,
    false,
    TEXTURE_TRILINEAR_SAMPLINGMODE,
  );
  texture.gammaSpace = false;
  const [right, left, up, down, front, back] = faces;
  texture.sphericalPolynomial = CubeMapToSphericalPolynomialTools.ConvertCubeMapToSphericalPolynomial({
    ...{ right, left, up, down, front, back },
    size: FACE_SIZE,
    format: TEXTUREFORMAT_RGBA,
    type: TEXTURETYPE_FLOAT,
    gammaSpace: false,
  });
  return texture;
}

/** Babylon's world mirrors x of glTF's space, which the studio is described in. */
function paintFace(
  direction: (a: number, b: number) => readonly [number, number, number],
  name: EnvironmentName,
): Float32Array {
  const rgba = new Float32Array(FACE_SIZE * FACE_SIZE * 4);
  for (let i = 0; i < FACE_SIZE * FACE_SIZE; i++) {
    const a = (2 * (i % FACE_SIZE) + 1) / FACE_SIZE - 1;
    const b = (2 * Math.floor(i / FACE_SIZE) + 1) / FACE_SIZE - 1;
    const [x, y, z] = direction(a, b);
    const azimuth = Math.atan2(z, -x) * DEGREES + 180;
    const elevation = Math.atan2(y, Math.hypot(x, z)) * DEGREES;
    rgba.set([...studioRadiance(azimuth, elevation, name), 1], i * 4);
  }
  return rgba;
}

/** The key light and its shadows; both are fitted to the object by the stage. */
export function createKeyLight(scene: Scene): { light: DirectionalLight; shadows: ShadowGenerator } {
  const light = new DirectionalLight('key', new Vector3(0, -1, 0), scene);
  light.diffuse = Color3.FromHexString('#ffe9d2').toLinearSpace();
  light.intensity = 2.3;
  const shadows = new ShadowGenerator(2048, light);
  shadows.usePercentageCloserFiltering = true;
  shadows.bias = 0.002;
  shadows.normalBias = 0.02;
  return { light, shadows };
}

/** What lies behind everything. */
export class Backdrop {
  readonly #texture: DynamicTexture;

  constructor(scene: Scene) {
    this.#texture = new DynamicTexture('backdrop', BACKDROP_SIZE, scene, false);
    new Layer('backdrop', null, scene, true).texture = this.#texture;
  }

  paint(background: Background): void {
    paintBackdrop(this.#texture.getContext() as CanvasRenderingContext2D, background);
    this.#texture.update();
  }
}
