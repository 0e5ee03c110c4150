import { createCpuField } from '../../src/field/cpu-field.ts';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { GpuArena } from '../../src/gpu/arena.ts';
import type { ProgramBuilder } from '../../src/gpu/program-builder.ts';
import { searchOf } from '../../src/partition/gpu/cull-program.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import { createEventYield, type EventYield } from '../../src/pipeline/yield-to-events.ts';
import { type GpuSurface, GpuSurfaceDeriver } from '../../src/surface/gpu/gpu-surface.ts';
import { packCounts, type SurfaceCount } from '../../src/surface/gpu/structs.ts';
import type { SurfacePlan } from '../../src/surface/gpu/surface-program.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';

export const bunny = async (): Promise<FieldAsset> =>
  readField(await (await fetch(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url))).arrayBuffer());

export async function readMesh(surface: GpuSurface): Promise<SurfaceMesh> {
  const { nVertices, nTriangles } = surface;
  const [positions, normals, indices] = await new GpuArena(sharedGpu).readAll(
    [
      [surface.positions, nVertices * 12],
      [surface.normals, nVertices * 12],
      [surface.indices, nTriangles * 12],
    ],
    'test',
  );
  return {
    positions: new Float32Array(positions),
    normals: new Float32Array(normals),
    indices: new Uint32Array(indices),
  };
}

/** Lends what derives a field on the tests' device, and frees it. @param isHardware see `compileSurface`. */
export async function withDeriver<T>(
  asset: FieldAsset,
  tolerance: number,
  use: (deriver: GpuSurfaceDeriver, plan: SurfacePlan, events: EventYield) => Promise<T>,
  isHardware?: boolean,
): Promise<T> {
  const field = await createGpuField(asset, sharedGpu);
  const deriver = await GpuSurfaceDeriver.create(field, isHardware);
  const events = createEventYield();
  const { lattice, frame } = makePlan(createCpuField(asset), { tolerance });
  const tolerances = { counts: [1, 1, 1] as const, tolerances: [tolerance] };
  try {
    return await use(deriver, { lattice, bounds: frame.bounds, tolerances, domain: asset.domain }, events);
  } finally {
    events.close();
    deriver.release();
    field.dispose();
  }
}

/** Submits what was put together, from the search of a lattice on. @param boxes along x, y, z. */
export function submitFrom(
  boxes: readonly number[],
  builder: ProgramBuilder<SurfaceCount>,
  arena: GpuArena,
): void {
  arena.write(builder.counts, packCounts(searchOf(boxes)));
  const { device } = arena.context;
  const encoder = device.createCommandEncoder();
  builder.endProgram().encode(encoder);
  device.queue.submit([encoder.finish()]);
}
