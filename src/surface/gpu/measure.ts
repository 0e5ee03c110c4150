import type { FieldResources } from '../../field/gpu/resources.ts';
import type { GpuContext } from '../../gpu/context.ts';
import type { ItemCount } from '../../gpu/item-count.ts';
import { compileKernels } from '../../gpu/item-kernel.ts';
import type { Listed } from '../../gpu/program-builder.ts';
import { ERROR_SEARCH, SAMPLING } from '../rules.ts';
import detailWgsl from './detail.wgsl';
import halfEdgesWgsl from './half-edges.wgsl';
import { fieldBuffers, fieldCode, type GpuDetail, type GpuMesh, ruleConstants, uploadFrame } from './kit.ts';
import measureWgsl from './measure.wgsl';
import samplePatternWgsl from './refine/sample-pattern.wgsl';
import { MEASURE, SURFACE_WGSL, type SurfaceBuilder } from './structs.ts';
import waysWgsl from './ways.wgsl';

/** Triangles at which the error is measured. */
export const N_MEASURED = 8192;
/** WGSL. BETTER: set in a flip's first vertex, see propose-flips.wgsl. */
export const FLIP_WGSL = 'const BETTER = 0x80000000u;\n';

const MEASURED = { samples: 0, flips: 1, errors: 2 } as const;

/** Measures the mesh against the field: see measure.wgsl. */
export interface Measurer {
  /** u32 a sample: 1 where it stands off by more than a share of the tolerance. */
  samples(
    builder: SurfaceBuilder,
    items: ItemCount,
    samples: GPUBuffer,
    mesh: GpuMesh,
    detail: GpuDetail,
    share: number,
    isOff: GPUBuffer,
  ): void;
  /** f32[2] a flip: |f| at the middles of the edge that goes and of the one that comes. */
  flips(
    builder: SurfaceBuilder,
    items: ItemCount,
    flips: GPUBuffer,
    mesh: GpuMesh,
    detail: GpuDetail,
    off: GPUBuffer,
  ): void;
  /** f32[2] for each of `N_MEASURED` places on the triangles that are left: its error, local units and as a share of the tolerance. */
  errors(
    builder: SurfaceBuilder,
    triangles: Listed,
    mesh: GpuMesh,
    detail: GpuDetail,
    errors: GPUBuffer,
  ): void;
}

/** Compiles the kernel, or finds it compiled. One for all three: what a kernel costs to compile is the field in it. */
export async function createMeasurer(resources: FieldResources, context: GpuContext): Promise<Measurer> {
  const rules = ruleConstants({
    LEAST_COSINE: SAMPLING.leastCosine,
    LOOK: SAMPLING.look,
    AIMS: ERROR_SEARCH.aims,
    PARTS: ERROR_SEARCH.parts,
    GROWTH: ERROR_SEARCH.growth,
    LEAST: ERROR_SEARCH.least,
  });
  const purposes = Object.entries(MEASURED).map(([name, at]) => `const ${name.toUpperCase()} = ${at}u;\n`);
  const code = `${SURFACE_WGSL}${MEASURE.wgsl}${halfEdgesWgsl}${purposes.join('')}${FLIP_WGSL}
const N_MEASURED = ${N_MEASURED}u;
const N_AIMS = ${ERROR_SEARCH.aims.length}u;
const N_PARTS = ${ERROR_SEARCH.parts.length}u;
${rules}${samplePatternWgsl}${waysWgsl}${detailWgsl}${fieldCode(resources, 10, true)}${measureWgsl}`;
  const { points } = await compileKernels(context, 'measure', {
    points: [code, 'measurePoint', 'select(counts[measure.items], N_MEASURED, measure.what == ERRORS)'],
  });
  const bindings = (
    builder: SurfaceBuilder,
    params: ArrayBuffer,
    places: GPUBuffer,
    { triangles, vertices, normals }: GpuMesh,
    detail: GpuDetail,
    measured: GPUBuffer,
  ): GPUBuffer[] => [
    uploadFrame(builder, resources),
    builder.uniform('measure.params', params),
    detail.params,
    builder.counts,
    places,
    triangles,
    vertices,
    normals,
    detail.tolerances,
    measured,
    ...fieldBuffers(resources),
  ];
  return {
    samples(builder, items, samples, mesh, detail, share, isOff) {
      const params = MEASURE.pack({ what: MEASURED.samples, share, items: items.at });
      builder.each(points, items, ...bindings(builder, params, samples, mesh, detail, isOff));
    },
    flips(builder, items, flips, mesh, detail, off) {
      const params = MEASURE.pack({ what: MEASURED.flips, share: 0, items: items.at });
      builder.each(points, items, ...bindings(builder, params, flips, mesh, detail, off));
    },
    errors(builder, { list, items }, mesh, detail, errors) {
      const params = MEASURE.pack({ what: MEASURED.errors, share: 0, items: items.at });
      builder.program.eachOf(points, N_MEASURED, ...bindings(builder, params, list, mesh, detail, errors));
    },
  };
}
