import type { FieldResources } from '../../field/gpu/resources.ts';
import type { GpuContext } from '../../gpu/context.ts';
import type { ItemCount } from '../../gpu/item-count.ts';
import { compileKernels } from '../../gpu/item-kernel.ts';
import { rootMeanSquareOf } from '../../partition/corners.ts';
import { diagonalOf, fieldBuffers, fieldCode, type GpuDetail, type GpuMesh, uploadFrame } from './kit.ts';
import lineSearchWgsl from './line-search.wgsl';
import polishWgsl from './polish.wgsl';
import { SEARCH, SURFACE_WGSL, type SurfaceBuilder } from './structs.ts';

/** Distances relative to the domain's diagonal: on the zero set, hardly off it, told apart by single precision. */
const ENOUGH = 1e-8;
const MOST = 3e-7;
const LEAST = 2e-8;
/** |f| that single precision does not tell from none, as a share of f's root mean square. */
const NOISE = 5e-7;
/** How far a vertex may be moved that comes of a piecewise form of f itself, and how far it mostly is. */
const REACH = 1e-3;
const NEAR = 1e-5;
/** Slope of no gradient, as a share of the usual one: f's root mean square on the domain over its diagonal. */
const FLAT = 1e-3;
/** What is farther off than so often what may pass is a fault. */
export const OFF = 4;
/** See `Search`. */
const N_TRIES = 20;
const N_ROUNDS = 4;

/** What single precision tells of a field: distances in local units, and |f|. */
export interface Precision {
  /** Distance that is on the zero set, and that may pass for it; |f| that passes in any case. */
  readonly enough: number;
  readonly most: number;
  readonly noise: number;
  /** Distance that is not told from none. */
  readonly least: number;
  /** Slope that is not told from none. */
  readonly flat: number;
}

/** What single precision tells of a field. */
export function precisionOf(resources: FieldResources): Precision {
  const diagonal = diagonalOf(resources);
  const rms = rootMeanSquareOf(resources.asset);
  return {
    enough: ENOUGH * diagonal,
    most: MOST * diagonal,
    noise: NOISE * rms,
    least: LEAST * diagonal,
    flat: (FLAT * rms) / diagonal,
  };
}

/** Puts vertices on the zero set, inside of the box that the mesh lies in. */
export interface Polisher {
  /** Moves the first vertices, which are nearly on the zero set, there, and takes the gradient. */
  add(builder: SurfaceBuilder, items: ItemCount, mesh: GpuMesh, detail: GpuDetail): void;
}

/** What kernels that look for the zero set are told. @param items number of the count of what they go over. */
export function uploadSearch(builder: SurfaceBuilder, resources: FieldResources, items = 0): GPUBuffer {
  const diagonal = diagonalOf(resources);
  const search = SEARCH.pack({
    ...precisionOf(resources),
    items,
    reach: REACH * diagonal,
    near: NEAR * diagonal,
    nTries: N_TRIES,
    nRounds: N_ROUNDS,
  });
  return builder.uniform('surface.search', search);
}

/** Compiles the kernel, or finds it compiled. */
export async function createPolisher(resources: FieldResources, context: GpuContext): Promise<Polisher> {
  const head = `${SURFACE_WGSL}${SEARCH.wgsl}const OFF = ${OFF}.0;\n`;
  const code = head + fieldCode(resources, 7, true) + lineSearchWgsl + polishWgsl;
  const { polish } = await compileKernels(context, 'polish', {
    polish: [code, 'polishVertex', 'counts[search.items]'],
  });
  return {
    add(builder, items, { vertices, normals, marks }, detail) {
      const about = [uploadFrame(builder, resources), uploadSearch(builder, resources, items.at)];
      const moved = [vertices, normals, marks, ...fieldBuffers(resources)];
      builder.each(polish, items, ...about, detail.params, builder.counts, ...moved);
    },
  };
}
