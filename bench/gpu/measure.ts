import { type CpuField, createCpuField } from '../../src/field/cpu-field.ts';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import type { GpuContext } from '../../src/gpu/context.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { npmCubes } from '../methods.ts';
import { createGpuDerivation } from './gpu-derivation.ts';
import { createGpuMarchingCubes } from './marching-cubes.ts';

export interface MeasureOptions {
  /** Timed runs of each method after the warm-ups. */
  readonly runs: number;
  /** Points for the distances; 0 for none. */
  readonly samples: number;
  /** Boxes an axis of marching cubes. */
  readonly resolutions: readonly number[];
  readonly tolerances: readonly number[];
  /** Also what computes on the processor: isosurface, our derivation in place. */
  readonly hasCpu: boolean;
  readonly report: (row: GpuRow) => void;
}

/** One line of the table. */
export interface GpuRow {
  readonly field: string;
  readonly method: string;
  readonly adapter: string;
  /** Of a warm run: from the field on the GPU to an indexed mesh on the GPU; on the processor to one there. */
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly slowestMs: number;
  /** The GPU's own time, where it has timestamps. */
  readonly gpuMs: number | null;
  /** Boxes that hold surface. */
  readonly nBoxes: number | null;
  readonly nVertices: number;
  readonly nTriangles: number;
  /** Distance from the mesh to the zero set; null where it was not measured. */
  readonly meanError: number | null;
  readonly worstError: number | null;
  /** MB on the GPU, with the field's own. */
  readonly gpuMegabytes: number;
  /** Milliseconds by part, as text. */
  readonly parts: string;
}

/** What a method made. */
export interface MethodRun {
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
  /** Where the method measures itself; else the call is timed. */
  readonly timeMs?: number;
  readonly nBytes?: number;
  readonly nBoxes?: number;
  readonly gpuTimeMs?: Readonly<Record<string, number>>;
  readonly parts?: Readonly<Record<string, number>>;
}

/** One way to a mesh. */
interface Method {
  readonly name: string;
  readonly adapter: string;
  readonly run: () => Promise<MethodRun>;
}

/** Runs that are not timed: the first ones compile, upload and make buffers. */
const WARM_UPS = 4;

/**
 * Runs dense marching cubes and our derivation on the GPU, both from a field that is there to an indexed mesh that is there;
 * and beside them isosurface and our derivation on the processor.
 */
export async function measure(
  context: GpuContext,
  asset: FieldAsset,
  options: MeasureOptions,
): Promise<GpuRow[]> {
  const field = createCpuField(asset);
  const gpuField = await createGpuField(asset, context);
  const cubes = await createGpuMarchingCubes(gpuField);
  const derivation = await createGpuDerivation(gpuField);
  const adapter = context.adapterName;
  const methods: Method[] = [
    ...options.resolutions.map((resolution) => ({
      name: `marching cubes ${resolution}`,
      adapter,
      run: () => cubes.run(resolution),
    })),
    ...options.tolerances.map((tolerance) => ({
      name: `derived, tolerance ${tolerance}`,
      adapter,
      run: () => derivation.run(tolerance),
    })),
    ...(options.hasCpu ? onProcessor(field, options) : []),
  ];
  const rows: GpuRow[] = [];
  for (const method of methods) {
    const row = await measureMethod(method, field, options);
    options.report(row);
    rows.push(row);
  }
  cubes.release();
  derivation.release();
  gpuField.dispose();
  return rows;
}

/** What a page does without WebGPU. */
function onProcessor(field: CpuField, { resolutions, tolerances }: MeasureOptions): Method[] {
  const adapter = 'cpu';
  return [
    ...resolutions
      .filter((resolution) => resolution <= 128)
      .map((resolution) => {
        const { name, run } = npmCubes(resolution);
        return { name, adapter, run: () => run(field) };
      }),
    ...tolerances.map((tolerance) => ({
      name: `derived, tolerance ${tolerance}`,
      adapter,
      run: async () => {
        const { mesh, stats } = await deriveMesh(field.asset, { tolerance, backend: 'cpu', cache: false });
        return { ...mesh, nBoxes: stats.nBoxesSurviving, parts: stats.timeMs };
      },
    })),
  ];
}

async function measureMethod(
  { name, adapter, run }: Method,
  field: CpuField,
  { runs, samples }: MeasureOptions,
): Promise<GpuRow> {
  const times: number[] = [];
  let last: MethodRun | undefined;
  for (let i = -Math.min(WARM_UPS, runs); i < runs; i++) {
    const start = performance.now();
    last = await run();
    if (i >= 0) times.push(last.timeMs ?? performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const { positions, indices, nBytes = 0, nBoxes, gpuTimeMs = {}, parts = gpuTimeMs } = last as MethodRun;
  const { asset } = field;
  const check =
    indices.length === 0 || samples === 0
      ? undefined
      : await checkMesh({ positions, indices }, { field, domain: asset.domain, samples });
  const gpuTimes = Object.values(gpuTimeMs);
  return {
    field: asset.name,
    method: name,
    adapter,
    medianMs: times[times.length >> 1],
    fastestMs: times[0],
    slowestMs: times[times.length - 1],
    gpuMs: gpuTimes.length > 0 ? gpuTimes.reduce((sum, ms) => sum + ms, 0) : null,
    nBoxes: nBoxes ?? null,
    nVertices: positions.length / 3,
    nTriangles: indices.length / 3,
    meanError: check?.meshToZeroSet?.mean ?? null,
    worstError: check?.meshToZeroSet?.max ?? null,
    gpuMegabytes: nBytes / 2 ** 20,
    parts: Object.entries(parts)
      .map(([part, ms]) => `${part} ${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)}`)
      .join('; '),
  };
}
