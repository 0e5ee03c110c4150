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
    PARTS: ERROR_SEARCH.parts,
    GROWTH: ERROR_SEARCH.growth,
    LEAST: ERROR_SEARCH.least,
    FAR: MISSED.far,
  });
  const code = `${SURFACE_WGSL}${halfEdgesWgsl}const N_MEASURED = ${N_MEASURED}u;
const N_AIMS = ${ERROR_SEARCH.aims.length}u;
const N_PARTS = ${ERROR_SEARCH.parts.length}u;
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
