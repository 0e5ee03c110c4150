import type { Material } from 'three';
import type { DeriveOptions, FieldAsset } from '../index.ts';
import { deriveMesh } from '../index.ts';
import { NSDFObject } from './nsdf-object.ts';

/**
 * Makes the object of a field that did not come from a file: one that was imported, trained or written by hand.
 * @param material what to draw it with instead of the default.
 * @throws what `deriveMesh` throws.
 * @example
 * scene.add(await objectFromAsset(importSafetensors(bytes), { tolerance: 1e-3 }));
 */
export async function objectFromAsset(
  asset: FieldAsset,
  options: DeriveOptions = {},
  material?: Material,
): Promise<NSDFObject> {
  return NSDFObject.of(asset, await deriveMesh(asset, options), material);
}
