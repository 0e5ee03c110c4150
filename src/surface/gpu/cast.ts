import type { FieldResources } from '../../field/gpu/resources.ts';
import type { GpuContext } from '../../gpu/context.ts';
import type { ItemCount } from '../../gpu/item-count.ts';
import { compileKernels } from '../../gpu/item-kernel.ts';
import { rootMeanSquareOf } from '../../partition/corners.ts';
import castWgsl from './cast.wgsl';
import { diagonalOf, fieldBuffers, fieldCode, type GpuDetail, type GpuMesh, uploadFrame } from './kit.ts';
import lineSearchWgsl from './line-search.wgsl';
import { CAST, SEARCH, SURFACE_WGSL, type SurfaceBuilder } from './structs.ts';
import waysWgsl from './ways.wgsl';

/** Orders to put vertices on the zero set, and whether that was done. */
export interface Casts {
  /** `Cast` */
  readonly orders: GPUBuffer;
  /** u32 */
  readonly isFound: GPUBuffer;
}

/** Puts vertices on the zero set, inside of the box that the mesh lies in. */
export interface Placer {
  reserve(builder: SurfaceBuilder, capacity: number): Casts;
  /** Carries out orders, one an item. @param isNeeded whether one that cannot be is a fault of the mesh. */
  add(
    builder: SurfaceBuilder,
    items: ItemCount,
    casts: Casts,
    mesh: GpuMesh,
    detail: GpuDetail,
    isNeeded: boolean,
  ): void;
  /** Moves the first vertices, which are nearly on the zero set, there. */
  polish(builder: SurfaceBuilder, items: ItemCount, mesh: GpuMesh, detail: GpuDetail): void;
}

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
const OFF = 4;
/** See `Search`. */
const N_TRIES = 20;
/** Times that vertices are taken which did not get there at once. */
const N_AGAIN = 3;

/** Compiles the kernels, or finds them compiled. */
export async function createPlacer(resources: FieldResources, context: GpuContext): Promise<Placer> {
  const head = `${SURFACE_WGSL}const OFF = ${OFF}.0;\n`;
  const code = head + fieldCode(resources, 10, true) + lineSearchWgsl + waysWgsl + castWgsl;
  const { cast } = await compileKernels(context, 'place', {
    cast: [code, 'castVertex', 'counts[search.listed]'],
  });
  const diagonal = diagonalOf(resources);
  const field = fieldBuffers(resources);
  const rms = rootMeanSquareOf(resources.asset);
  const usual = rms / diagonal;
  const upload = (builder: SurfaceBuilder, { at }: ItemCount, flags = {}): GPUBuffer =>
    builder.uniform(
      'place.search',
      SEARCH.pack({
        listed: at,
        enough: ENOUGH * diagonal,
        most: MOST * diagonal,
        noise: NOISE * rms,
        least: LEAST * diagonal,
        usual,
        flat: FLAT * usual,
        reach: REACH * diagonal,
        near: NEAR * diagonal,
        nTries: N_TRIES,
        isListed: 0,
        isLast: 0,
        isNeeded: 0,
        isPolish: 0,
        ...flags,
      }),
    );
  return {
    reserve: (builder, capacity) => ({
      orders: builder.create('place.orders', capacity * CAST.byteLength),
      isFound: builder.create('place.isFound', capacity * 4),
    }),
    add(builder, items, { orders, isFound }, { vertices, normals, isOff }, detail, isNeeded) {
      const about = [uploadFrame(builder, resources), upload(builder, items, { isNeeded: isNeeded ? 1 : 0 })];
      const unlisted = builder.scope(() => builder.create('place.unlisted', 16));
      const written = [vertices, normals, isFound, isOff];
      builder.each(
        cast,
        items,
        ...about,
        detail.params,
        builder.counts,
        orders,
        unlisted,
        ...written,
        ...field,
      );
    },
    polish(builder, items, { vertices, normals, isOff }, detail) {
      const frame = uploadFrame(builder, resources);
      builder.scope(() => {
        const isLeft = builder.create('place.isLeft', items.capacity * 4);
        const [unordered, unlisted] = ['unordered', 'unlisted'].map((name) =>
          builder.create(`place.${name}`, CAST.byteLength),
        );
        const polish = (of: ItemCount, list: GPUBuffer, flags = {}): void => {
          const search = upload(builder, of, { isPolish: 1, ...flags });
          const read = [frame, search, detail.params, builder.counts, unordered, list];
          builder.each(cast, of, ...read, vertices, normals, isLeft, isOff, ...field);
        };
        polish(items, unlisted);
        const left = builder.list('place.left', items, isLeft, { to: 'left' });
        for (let i = 1; i <= N_AGAIN; i++) {
          polish(left.items, left.list, { isListed: 1, isLast: i === N_AGAIN ? 1 : 0 });
        }
      });
    },
  };
}
