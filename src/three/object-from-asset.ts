import type { Material } from 'three';
import type { DeriveOptions, FieldAsset } from '../index.ts';
import { type LodSettings, lodOf, refuseUnknownSettings } from '../plugin/settings.ts';
import { deriveGeometry, type OutputSettings } from './geometry.ts';
import { NSDFObject } from './nsdf-object.ts';

/**
 * Makes the object of a field that did not come from a file: one that was imported, trained or written by hand.
 * @param options those of `deriveMesh`; `lod` for levels of detail; `output: 'gpu'` with a `renderer` for a surface that
 * stays on its device.
 * @param material what to draw it with instead of the default.
 * @throws what `deriveMesh` throws.
 * @example
 * scene.add(await objectFromAsset(importSafetensors(bytes), { tolerance: 1e-3 }));
 */
export async function objectFromAsset(
  asset: FieldAsset,
  options: DeriveOptions & OutputSettings & { readonly lod?: LodSettings | boolean } = {},
  material?: Material,
): Promise<NSDFObject> {
  refuseUnknownSettings('objectFromAsset', options, { renderer: true });
  if (lodOf(options)) {
    const { signal, onProgress, renderer: _renderer, ...settings } = options;
    const control = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
    return NSDFObject.withLevels(asset, { settings, ...(material && { material }), ...control });
  }
  return NSDFObject.of(asset, await deriveGeometry(asset, options), material, options);
}
