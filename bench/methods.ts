import * as isosurface from 'isosurface';
import type { CpuField } from '../src/field/cpu-field.ts';
import type { DeriveOptions } from '../src/options.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';
import type { DeriveStats } from '../src/pipeline/figures.ts';
import { latticeValues, marchingCubes } from './marching-cubes.ts';

export interface MeshArrays {
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
}

/** One way to a mesh, as the benchmark runs it. */
export interface Method {
  readonly name: string;
  readonly run: (field: CpuField) => Promise<MeshArrays & { readonly stats?: DeriveStats }>;
}

/** Our derivation, on this thread. */
export function derived(name: string, options: DeriveOptions): Method {
  return {
    name,
    run: async ({ asset }) => {
      const { mesh, stats } = await deriveMesh(asset, { ...options, backend: 'cpu' });
      return { ...mesh, stats };
    },
  };
}

/** Our own dense marching cubes. */
export function cubes(resolution: number, hasExactRoots: boolean): Method {
  return {
    name: `MC ${resolution} ${hasExactRoots ? 'exact roots' : 'linear'}`,
    run: async (field) => marchingCubes(field, field.asset.domain, { resolution, hasExactRoots }),
  };
}

/**
 * `isosurface` of npm, given a lattice that the batch evaluator filled: point by point, as it asks, evaluation alone
 * would take several times as long.
 */
export function npmCubes(resolution: number): Method {
  return {
    name: `isosurface (npm) ${resolution}`,
    run: async (field) => {
      const { min, max } = field.asset.domain;
      const { values, counts } = latticeValues(field, field.asset.domain, resolution);
      const scale = min.map((low, axis) => counts[axis] / (max[axis] - low));
      const surface = isosurface.marchingCubes(
        [counts[0] + 1, counts[1] + 1, counts[2] + 1],
        (x, y, z) => {
          const i = Math.round((x - min[0]) * scale[0]);
          const j = Math.round((y - min[1]) * scale[1]);
          const k = Math.round((z - min[2]) * scale[2]);
          return values[i + (counts[0] + 1) * (j + (counts[1] + 1) * k)];
        },
        [
          [...min],
          // Its lattice has as many steps as points along an axis, the last one outside.
          [0, 1, 2].map((a) => max[a] + (max[a] - min[a]) / counts[a]) as [number, number, number],
        ],
      );
      return {
        positions: Float32Array.from(surface.positions.flat()),
        indices: Uint32Array.from(surface.cells.flat()),
      };
    },
  };
}
