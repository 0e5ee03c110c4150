import type { Node } from '@babylonjs/core/node.js';
import type { Scene } from '@babylonjs/core/scene.js';

/** Whether a node was loaded, and does not belong to the stage. */
export type IsContent = (node: Node) => boolean;

/** Exports what was loaded as a GLB. The exporter is fetched when it is first wanted. */
export async function exportGlb(scene: Scene, isContent: IsContent): Promise<Blob> {
  const { GLTF2Export } = await import('@babylonjs/serializers/glTF/2.0/index.js');
  const { files } = await GLTF2Export.GLBAsync(scene, 'field', { shouldExportNode: isContent });
  return files['field.glb'] as Blob;
}

/** Exports what was loaded as a USDZ. Babylon's exporter takes its zip library from a global, or from a CDN. */
export async function exportUsdz(scene: Scene, isContent: IsContent): Promise<Blob> {
  const [{ USDZExportAsync }, fflate] = await Promise.all([
    import('@babylonjs/serializers/USDZ/index.js'),
    import('fflate'),
  ]);
  Object.assign(globalThis, { fflate });
  const usdz = await USDZExportAsync(scene, {}, isContent);
  return new Blob([usdz as Uint8Array<ArrayBuffer>], { type: 'model/vnd.usdz+zip' });
}
