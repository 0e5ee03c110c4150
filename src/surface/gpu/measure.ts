import type { FieldResources } from '../../field/gpu/resources.ts';
import type { GpuContext } from '../../gpu/context.ts';
import { compileKernels } from '../../gpu/item-kernel.ts';
import { ERROR_SEARCH } from '../rules.ts';
import detailWgsl from './detail.wgsl';
import halfEdgesWgsl from './half-edges.wgsl';
import { fieldBuffers, fieldCode, type GpuDetail, type GpuMesh, ruleConstants, uploadFrame } from './kit.ts';
import measureWgsl from './measure.wgsl';
import { MISSED, SURFACE_WGSL, type SurfaceBuilder } from './structs.ts';
import waysWgsl from './ways.wgsl';

/** How it is looked around a point for a nearer change of f's sign than along its gradient: in eighths, where the CPU searches on. */
const AROUND = {
  /** Parts of a point's bound. */
  parts: [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 0.94],
  /** Growth of the distance where the gradient led nowhere, from a share of the diagonal on. */
  growth: 1.5,
  least: 1e-7,
} as const;

/** Triangles at which the error is measured. */
export const N_MEASURED = ERROR_SEARCH.samples;

/** Measures the mesh against the field: see measure.wgsl. */
export interface Measurer {
  /** Sums up the errors at `N_MEASURED` places on the triangles that are left: see `SUMMARY_AT`. */
  add(builder: SurfaceBuilder, listed: GPUBuffer, mesh: GpuMesh, detail: GpuDetail): void;
}

/** Compiles the kernel, or finds it compiled. */
export async function createMeasurer(resources: FieldResources, context: GpuContext): Promise<Measurer> {
  const rules = ruleConstants({
    AIMS: ERROR_SEARCH.aims,
    PARTS: AROUND.parts,
    GROWTH: AROUND.growth,
    LEAST: AROUND.least,
    FAR: MISSED.far,
  });
  const code = `${SURFACE_WGSL}${halfEdgesWgsl}const N_MEASURED = ${N_MEASURED}u;
const N_AIMS = ${ERROR_SEARCH.aims.length}u;
const N_PARTS = ${AROUND.parts.length}u;
${rules}${waysWgsl}${detailWgsl}${fieldCode(resources, 8, true)}${measureWgsl}`;
  const { errors } = await compileKernels(context, 'measure', {
    errors: [code, 'measureError', 'N_MEASURED'],
  });
  return {
    add(builder, listed, { triangles, vertices, summary }, detail) {
      const frame = uploadFrame(builder, resources);
      const read = [listed, triangles, vertices, detail.tolerances, summary, ...fieldBuffers(resources)];
      builder.program.eachOf(errors, N_MEASURED, frame, detail.params, builder.counts, ...read);
    },
  };
}
