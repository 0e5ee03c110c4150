import { type Mesh, Vector3 } from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { describe, expect, it, vi } from 'vitest';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { boxMlp, sphereField } from '../fixtures/fields.ts';

const fallback = {
  positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1),
  normals: Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1),
  indices: Uint32Array.of(0, 1, 2, 0, 2, 3),
};

/** What a viewer shows that never heard of the extension: three's own loader stands for all of them. */
async function loadPlain(file: Uint8Array): Promise<Mesh[]> {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { scene } = await new GLTFLoader().parseAsync(file.slice().buffer, '');
  warn.mockRestore();
  return scene.children as Mesh[];
}

describe('a viewer without the extension', () => {
  it('shows the fallback meshes', async () => {
    const [first, second] = await loadPlain(
      writeNsdf(sceneOf([sphereField({ cells: [3] }), boxMlp()], { fallback })),
    );
    for (const mesh of [first, second]) {
      expect(Array.from(mesh.geometry.getAttribute('position').array)).toEqual(
        Array.from(fallback.positions),
      );
      expect(Array.from(mesh.geometry.index?.array ?? [])).toEqual(Array.from(fallback.indices));
    }
    expect([first.name, second.name]).toEqual(['sphere', 'box-mlp']);
  });

  it('gets nothing to draw, but the bounds, where there is none', async () => {
    const [mesh] = await loadPlain(writeNsdf({ ...boxMlp(), domain: { min: [-2, 0, 1], max: [3, 4, 5] } }));
    const { array, count } = mesh.geometry.getAttribute('position');
    expect([count, ...array]).toEqual([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(mesh.geometry.boundingBox?.min).toEqual(new Vector3(-2, 0, 1));
    expect(mesh.geometry.boundingBox?.max).toEqual(new Vector3(3, 4, 5));
  });
});
