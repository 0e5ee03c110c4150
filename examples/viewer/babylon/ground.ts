import { Constants } from '@babylonjs/core/Engines/constants.js';
import { BackgroundMaterial } from '@babylonjs/core/Materials/Background/backgroundMaterial.js';
import { StandardMaterial } from '@babylonjs/core/Materials/standardMaterial.js';
import { RawTexture } from '@babylonjs/core/Materials/Textures/rawTexture.js';
import { Color3 } from '@babylonjs/core/Maths/math.color.js';
import type { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import { CreateGround } from '@babylonjs/core/Meshes/Builders/groundBuilder.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { NSDFObject } from '../../../src/babylon/index.ts';
import { paintContactShadow, SHADOW_SIZE } from '../contact-shadow.ts';

/** A ground that is nothing but shadow: the key light's, and a contact shadow read from the fields themselves. */
export class Ground {
  readonly #scene: Scene;
  #planes: Mesh[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Lays the ground under a box of the world and bakes the contact shadow of the fields. */
  place(min: Vector3, max: Vector3, fields: readonly NSDFObject[]): void {
    this.clear();
    const radius = max.subtract(min).length() / 2;
    const center = min.add(max).scaleInPlace(0.5);
    center.y = min.y - radius * 0.002;
    const width = radius * 3.6;
    const asked = fields.filter((field) => !field.isEmpty);
    const data = paintContactShadow(asked, [center.x, center.y, center.z], width, radius);
    this.#add(center, width, this.#contactMaterial(data)).alphaIndex = 0;
    const cast = this.#add(center, radius * 12, this.#castMaterial());
    cast.receiveShadows = true;
    cast.alphaIndex = 1;
  }

  clear(): void {
    for (const plane of this.#planes.splice(0)) plane.dispose(false, true);
  }

  #add(center: Vector3, width: number, material: StandardMaterial | BackgroundMaterial): Mesh {
    const plane = CreateGround('ground', { width, height: width }, this.#scene);
    plane.position.copyFrom(center);
    plane.isPickable = false;
    plane.material = material;
    this.#planes.push(plane);
    return plane;
  }

  #contactMaterial(rgba: Uint8Array): StandardMaterial {
    const { TEXTUREFORMAT_RGBA, TEXTURE_BILINEAR_SAMPLINGMODE } = Constants;
    const map = new RawTexture(
      rgba,
      SHADOW_SIZE,
      SHADOW_SIZE,
      TEXTUREFORMAT_RGBA,
      this.#scene,
      false,
      false,
      TEXTURE_BILINEAR_SAMPLINGMODE,
    );
    // The picture's v runs against z, that of Babylon's ground along it.
    map.vScale = -1;
    map.vOffset = 1;
    map.hasAlpha = true;
    map.wrapU = map.wrapV = Constants.TEXTURE_CLAMP_ADDRESSMODE;
    const material = new StandardMaterial('contact', this.#scene);
    material.disableLighting = true;
    material.emissiveTexture = map;
    material.opacityTexture = map;
    material.alpha = 0.72;
    material.disableDepthWrite = true;
    return material;
  }

  #castMaterial(): BackgroundMaterial {
    const material = new BackgroundMaterial('cast', this.#scene);
    material.shadowOnly = true;
    material.primaryColor = Color3.Black();
    material.alpha = 0.34;
    material.disableDepthWrite = true;
    return material;
  }
}
