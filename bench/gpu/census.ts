import { notingContext } from '../../scripts/compose-wgsl.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { GpuArena } from '../../src/gpu/arena.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import { estimateCapacities } from '../../src/surface/gpu/capacities.ts';
import { buildSurface, compileSurface } from '../../src/surface/gpu/surface-program.ts';
import { countsOf } from '../../src/surface/gpu/tiles.ts';

/** What one stage of a derivation asks of a GPU. */
export interface StageCensus {
  readonly stage: string;
  readonly nDispatches: number;
  /** Buffers that are cleared: each ends a pass. */
  readonly nClears: number;
}

/** What a derivation asks of a GPU, before its work: counted without one. */
export interface Census {
  readonly stages: readonly StageCensus[];
  /** Kernels by `stage.kernel`, with the bytes of their WGSL. */
  readonly kernels: ReadonlyMap<string, number>;
  /** Bytes of all buffers, but for the field's. */
  readonly nBytes: number;
}

/** Counts what a derivation does. @param isSoftware as software does it. Default: as hardware does. */
export async function takeCensus(asset: FieldAsset, tolerance = 1e-3, isSoftware = false): Promise<Census> {
  const kernels = new Map<string, number>();
  const context = notingContext(isSoftware, ({ label, code }) =>
    kernels.set(label.replace('nsdf.', ''), code.length),
  );
  const { resources } = await createGpuField(asset, context);
  const surface = await compileSurface(resources, context);
  const { lattice, frame } = makePlan(createCpuField(asset), { tolerance });
  const plan = {
    lattice,
    bounds: frame.bounds,
    tolerances: { counts: [1, 1, 1] as const, tolerances: [tolerance] },
    domain: asset.domain,
  };
  const arena = new GpuArena(context);
  const steps = buildSurface(surface, resources, arena, plan, estimateCapacities(countsOf(lattice)));
  let step = steps.next();
  while (!step.done) step = steps.next();
  const stages = new Map<string, StageCensus>();
  for (const part of step.value.program.stages()) {
    const before = stages.get(part.label) ?? { nDispatches: 0, nClears: 0 };
    stages.set(part.label, {
      stage: part.label,
      nDispatches: before.nDispatches + part.nDispatches,
      nClears: before.nClears + part.nClears,
    });
  }
  return { stages: [...stages.values()], kernels, nBytes: arena.nBytes };
}
