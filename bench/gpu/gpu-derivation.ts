import { createCpuField } from '../../src/field/cpu-field.ts';
import type { GpuField } from '../../src/field/gpu/gpu-field.ts';
import { GpuArena } from '../../src/gpu/arena.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import { createEventYield } from '../../src/pipeline/yield-to-events.ts';
import { GpuSurfaceDeriver } from '../../src/surface/gpu/gpu-surface.ts';
import type { MethodRun } from './measure.ts';

/** Our derivation as the benchmark runs it: timed until the mesh is on the GPU and its counts are known here. */
export async function createGpuDerivation(field: GpuField) {
  const { asset } = field.resources;
  const cpuField = createCpuField(asset);
  const deriver = await GpuSurfaceDeriver.create(field);
  const events = createEventYield();
  const { giveWay } = events;
  return {
    run(tolerance: number): Promise<MethodRun> {
      const { lattice, frame } = makePlan(cpuField, { tolerance });
      const tolerances = { counts: [1, 1, 1] as const, tolerances: [tolerance] };
      const plan = { lattice, bounds: frame.bounds, tolerances, domain: asset.domain };
      const start = performance.now();
      return deriver.derive(plan, { giveWay }, async (surface) => {
        const timeMs = performance.now() - start;
        const { nVertices, nTriangles, nBytes, gpuTimeMs, nBoxesSurviving } = surface;
        const sources = [
          [surface.positions, nVertices * 12],
          [surface.indices, nTriangles * 12],
        ] as const;
        const [positions, indices] = await new GpuArena(field.context).readAll(sources, 'bench');
        return {
          positions: new Float32Array(positions),
          indices: new Uint32Array(indices),
          timeMs,
          nBytes,
          nBoxes: nBoxesSurviving,
          gpuTimeMs,
        };
      });
    },
    release(): void {
      deriver.release();
      events.close();
    },
  };
}
