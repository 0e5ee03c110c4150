import type { FieldResources } from '../../field/gpu/resources.ts';
import type { GpuContext } from '../../gpu/context.ts';
import type { ItemCount } from '../../gpu/item-count.ts';
import { compileKernels } from '../../gpu/item-kernel.ts';
import { ERROR_SEARCH } from '../rules.ts';
import triangleDistanceWgsl from './decimate/triangle-distance.wgsl';
import detailWgsl from './detail.wgsl';
import halfEdgesWgsl from './half-edges.wgsl';
import { fieldBuffers, fieldCode, type GpuDetail, type GpuMesh, ruleConstants, uploadFrame } from './kit.ts';
import measureWgsl from './measure.wgsl';
import measureBackWgsl from './measure-back.wgsl';
import { uploadSearch } from './polish.ts';
import samplePatternWgsl from './sample-pattern.wgsl';
import sortTrianglesWgsl from './sort-triangles.wgsl';
import { MISSED, SEARCH, SURFACE_WGSL, type SurfaceBuilder } from './structs.ts';
import triangleCellsWgsl from './triangle-cells.wgsl';
import waysWgsl from './ways.wgsl';

/** How it is looked around a point for a nearer change of f's sign than along its gradient: in eighths, where the CPU searches on. */
const AROUND = {
  /** Parts of a point's bound. */
  parts: [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 0.94],
  /** Growth of the distance where the gradient led nowhere, from a share of the diagonal on. */
  growth: 1.5,
  least: 1e-7,
} as const;

/** Cells along an axis that triangles are sorted into, a power of two; of all divisions; and words of a triangle: see triangle-cells.wgsl. */
const N_CELLS = 64;
const N_HEADS = (8 * N_CELLS ** 3 - 1) / 7;
const TRIANGLE_WORDS = 10;

/** Triangles at which the error is measured. */
export const N_MEASURED = ERROR_SEARCH.samples;

/** How it is looked for the zero set beside vertices that were removed. */
const BESIDE = {
  /** Steps of Newton's method that bring a point there. */
  nSteps: 6,
  /** Rounds, each twice as close, of all ways around. */
  nRounds: 4,
} as const;
/** Of the tolerance, beyond which it is looked all over a triangle, and around a vertex. */
const CLOSE_SHARE = 0.6;

/** Measures the mesh against the field: see measure.wgsl, measure-back.wgsl. */
export interface Measurer {
  /**
   * Sums up the errors at `N_MEASURED` places on the triangles that are left, and those of the zero set where vertices were removed:
   * see `SUMMARY_AT`.
   */
  add(builder: SurfaceBuilder, left: LeftTriangles, mesh: GpuMesh, detail: GpuDetail): void;
}

/** What is left of a mesh. */
export interface LeftTriangles {
  /** Their numbers, u32. */
  readonly listed: GPUBuffer;
  readonly byTriangles: ItemCount;
  /** All vertices that there ever were. */
  readonly byVertices: ItemCount;
}

/** Compiles the kernels, or finds them compiled. */
export async function createMeasurer(resources: FieldResources, context: GpuContext): Promise<Measurer> {
  const rules = ruleConstants({
    AIMS: ERROR_SEARCH.aims,
    PARTS: AROUND.parts,
    GROWTH: AROUND.growth,
    LEAST: AROUND.least,
    FAR: MISSED.far,
    CLOSE_SHARE,
  });
  const code = `${SURFACE_WGSL}${halfEdgesWgsl}const N_MEASURED = ${N_MEASURED}u;
const N_AIMS = ${ERROR_SEARCH.aims.length}u;
const N_PARTS = ${AROUND.parts.length}u;
${rules}${waysWgsl}${samplePatternWgsl}${detailWgsl}${fieldCode(resources, 8, true)}${measureWgsl}`;
  const { nSteps, nRounds } = BESIDE;
  const cells = `const N_CELLS = ${N_CELLS}u;
const N_HEADS = ${N_HEADS}u;
const TRIANGLE_WORDS = ${TRIANGLE_WORDS}u;
${triangleCellsWgsl}`;
  const back = `${SURFACE_WGSL}${SEARCH.wgsl}${cells}${triangleDistanceWgsl}${waysWgsl}
const N_STEPS = ${nSteps}u;
const N_ROUNDS = ${nRounds}u;
${ruleConstants({ CLOSE_SHARE, MOST: MISSED.most, REACH_TOLERANCES: ERROR_SEARCH.reach })}${detailWgsl}${fieldCode(resources, 9, true)}${measureBackWgsl}`;
  const kernels = await compileKernels(context, 'measure', {
    errors: [code, 'measureError', 'N_MEASURED'],
    sort: [
      `${SURFACE_WGSL}${halfEdgesWgsl}${cells}${sortTrianglesWgsl}`,
      'sortTriangle',
      'counts[N_OUT_TRIANGLES]',
    ],
    back: [back, 'measureBack', 'counts[N_MESH_VERTICES]'],
  });
  return {
    add(builder, { listed, byTriangles, byVertices }, { triangles, vertices, marks, summary }, detail) {
      const { counts, program } = builder;
      const frame = uploadFrame(builder, resources);
      const read = [listed, triangles, vertices, detail.tolerances, summary, ...fieldBuffers(resources)];
      program.eachOf(kernels.errors, N_MEASURED, frame, detail.params, counts, ...read);
      const cells = builder.create('measure.cells', 4 * (N_HEADS + TRIANGLE_WORDS * byTriangles.capacity));
      builder.clear(cells);
      builder.each(kernels.sort, byTriangles, detail.params, counts, listed, triangles, vertices, cells);
      const about = [frame, detail.params, uploadSearch(builder, resources), counts];
      const looked = [vertices, marks, detail.tolerances, summary, cells, ...fieldBuffers(resources)];
      builder.each(kernels.back, byVertices, ...about, ...looked);
    },
  };
}
