import type { Object3D } from 'three';
import type { SaveFormat } from '../stage.ts';

/** Exports what was loaded. Each exporter is fetched when it is first wanted. */
export async function save(root: Object3D, format: SaveFormat): Promise<Blob> {
  root.updateWorldMatrix(true, true);
  switch (format) {
    case 'glb': {
      const { GLTFExporter } = await import('three/addons/exporters/GLTFExporter.js');
      const glb = await new GLTFExporter().parseAsync(root, { binary: true });
      return new Blob([glb as ArrayBuffer], { type: 'model/gltf-binary' });
    }
    case 'usdz': {
      const { USDZExporter } = await import('three/addons/exporters/USDZExporter.js');
      const usdz = await new USDZExporter().parseAsync(root);
      return new Blob([usdz as Uint8Array<ArrayBuffer>], { type: 'model/vnd.usdz+zip' });
    }
    case 'stl': {
      const { STLExporter } = await import('three/addons/exporters/STLExporter.js');
      const stl = new STLExporter().parse(root, { binary: true });
      return new Blob([stl as DataView<ArrayBuffer>], { type: 'model/stl' });
    }
    case 'obj': {
      const { OBJExporter } = await import('three/addons/exporters/OBJExporter.js');
      return new Blob([new OBJExporter().parse(root)], { type: 'model/obj' });
    }
    case 'ply': {
      const { PLYExporter } = await import('three/addons/exporters/PLYExporter.js');
      const ply = new PLYExporter().parse(root, () => {}, { binary: true, littleEndian: true });
      return new Blob([ply as ArrayBuffer], { type: 'application/octet-stream' });
    }
  }
}
