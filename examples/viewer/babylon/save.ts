import type { AssetContainer } from '@babylonjs/core/assetContainer.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Node } from '@babylonjs/core/node.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { SaveFormat } from '../stage.ts';

/** Exports what was loaded, and nothing of the stage. Each exporter is fetched when it is first wanted. */
export async function save(scene: Scene, content: AssetContainer, format: SaveFormat): Promise<Blob> {
  const nodes = [...content.meshes, ...content.transformNodes, ...content.lights, ...content.cameras];
  const loaded = new Set<Node>(nodes);
  const isContent = (node: Node): boolean => loaded.has(node);
  const shown = content.meshes.filter((mesh) => mesh.getTotalVertices() > 0) as Mesh[];
  switch (format) {
    case 'glb': {
      const { GLTF2Export } = await import('@babylonjs/serializers/glTF/2.0/index.js');
      const { files } = await GLTF2Export.GLBAsync(scene, 'field', { shouldExportNode: isContent });
      return files['field.glb'] as Blob;
    }
    case 'usdz': {
      const [{ USDZExportAsync }, fflate] = await Promise.all([
        import('@babylonjs/serializers/USDZ/index.js'),
        import('fflate'),
      ]);
      // Babylon's exporter takes its zip library from a global, or from a CDN.
      Object.assign(globalThis, { fflate });
      const usdz = await USDZExportAsync(scene, {}, isContent);
      return new Blob([usdz as Uint8Array<ArrayBuffer>], { type: 'model/vnd.usdz+zip' });
    }
    case 'stl': {
      const { STLExport } = await import('@babylonjs/serializers/stl/stlSerializer.js');
      return new Blob([STLExport.CreateSTL(shown, false, 'field', true)], { type: 'model/stl' });
    }
    case 'obj': {
      const { OBJExport } = await import('@babylonjs/serializers/OBJ/objSerializer.js');
      return new Blob([OBJExport.OBJ(shown, false, undefined, true)], { type: 'model/obj' });
    }
    case 'ply':
      throw new Error('Babylon.js has no exporter for PLY');
  }
}
