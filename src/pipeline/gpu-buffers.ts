import { GpuArena, USAGE } from '../gpu/arena.ts';
import { type GpuContext, guarded } from '../gpu/context.ts';
import type { GpuSurface } from '../surface/gpu/gpu-surface.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import type { GpuMeshBuffers } from './gpu-mesh.ts';

/** The buffers of a mesh that engines draw from. */
export type SurfaceBuffers = Pick<
  GpuMeshBuffers,
  'positions' | 'normals' | 'indices' | 'drawArguments' | 'dispose'
>;

/** How engines draw from the buffers. */
const DRAWN = { index: 0x10, vertex: 0x20, indirect: 0x100 } as const;
const KEPT = USAGE.storage | USAGE.copySource | USAGE.copyTarget;

/** Copies a derivation's output: the next one writes over it. @throws {NsdfGpuError} if the GPU has no room */
export function copyBuffers(surface: GpuSurface, context: GpuContext): Promise<SurfaceBuffers> {
  return make(context, surface, async (buffers) => {
    const encoder = context.device.createCommandEncoder({ label: 'nsdf.surface.copy' });
    for (const name of ['positions', 'normals', 'indices'] as const) {
      const to = buffers[name];
      if (surface.nTriangles > 0) encoder.copyBufferToBuffer(surface[name], 0, to, 0, to.size);
    }
    context.device.queue.submit([encoder.finish()]);
  });
}

/** Uploads a mesh that was read back. @throws {NsdfGpuError} if the GPU has no room */
export function uploadBuffers(mesh: SurfaceMesh, context: GpuContext): Promise<SurfaceBuffers> {
  const counts = { nVertices: mesh.positions.length / 3, nTriangles: mesh.indices.length / 3 };
  return make(context, counts, async (buffers, arena) => {
    for (const name of ['positions', 'normals', 'indices'] as const) {
      await arena.writeInParts(buffers[name], mesh[name], 0, 'surface');
    }
  });
}

async function make(
  context: GpuContext,
  { nVertices, nTriangles }: { readonly nVertices: number; readonly nTriangles: number },
  fill: (buffers: SurfaceBuffers, arena: GpuArena) => Promise<void>,
): Promise<SurfaceBuffers> {
  const arena = new GpuArena(context);
  try {
    const buffers = await guarded(context, 'surface', () => ({
      positions: arena.create('surface.positions', nVertices * 12, KEPT | DRAWN.vertex),
      normals: arena.create('surface.normals', nVertices * 12, KEPT | DRAWN.vertex),
      indices: arena.create('surface.indices', nTriangles * 12, KEPT | DRAWN.index),
      drawArguments: arena.upload(
        'surface.draw',
        Uint32Array.of(3 * nTriangles, 1, 0, 0, 0),
        KEPT | DRAWN.indirect,
      ),
      dispose: () => arena.dispose(),
    }));
    await guarded(context, 'surface', () => fill(buffers, arena));
    return buffers;
  } catch (error) {
    arena.dispose();
    throw error;
  }
}
