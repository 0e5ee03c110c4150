import type { Object3D } from 'three';

/** Exports what was loaded as a GLB (`model/gltf-binary`). The exporter is fetched when it is first wanted. */
export async function exportGlb(root: Object3D): Promise<Blob> {
  const { GLTFExporter } = await import('three/addons/exporters/GLTFExporter.js');
  const glb = await new GLTFExporter().parseAsync(root, { binary: true });
  return new Blob([glb as ArrayBuffer], { type: 'model/gltf-binary' });
}

/** Exports what was loaded as a USDZ, which phones show in their own viewer. */
export async function exportUsdz(root: Object3D): Promise<Blob> {
  const { USDZExporter } = await import('three/addons/exporters/USDZExporter.js');
  const usdz = await new USDZExporter().parseAsync(root);
  return new Blob([usdz as Uint8Array<ArrayBuffer>], { type: 'model/vnd.usdz+zip' });
}
