import { createCpuField } from '../../src/field/cpu-field.ts';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import type { GpuContext } from '../../src/gpu/context.ts';
import { isoOffsetOf } from '../../src/partition/corners.ts';
import { cullOnGpu } from '../../src/partition/gpu/gpu-cull.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { marchingCubes } from '../../src/surface/marching-cubes.ts';
import { createGpuMarchingCubes } from './marching-cubes.ts';

export interface MeasureOptions {
  /** Timed runs of each method after a warm-up. */
  readonly runs: number;
  /** Points for the distances. */
  readonly samples: number;
  readonly resolutions: readonly number[];
  readonly tolerances: readonly number[];
  readonly report: (row: GpuRow) => void;
}

/** One line of the table. */
export interface GpuRow {
  readonly method: string;
  readonly adapter: string;
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly slowestMs: number;
  readonly nVertices: number;
  readonly nTriangles: number;
  /** Distance from the mesh to the zero set; null where there is no mesh. */
  readonly meanError: number | null;
  readonly worstError: number | null;
  /** MB on the GPU beside the field itself. */
  readonly gpuMegabytes: number;
  /** Milliseconds by part, as text. */
  readonly parts: string;
}

interface Run {
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
  /** Where the method measures itself; else the call is timed. */
  readonly timeMs?: number;
  readonly nBytes?: number;
  readonly parts?: Readonly<Record<string, number>>;
}

interface Method {
  readonly name: string;
  readonly adapter: string;
  readonly run: () => Promise<Run>;
}

/** Runs dense marching cubes on the GPU and in JavaScript, and our derivation with and without the GPU, in turn. */
export async function measure(
  context: GpuContext,
  asset: FieldAsset,
  options: MeasureOptions,
): Promise<GpuRow[]> {
  const field = createCpuField(asset);
  const gpuField = await createGpuField(asset, context);
  const cubes = await createGpuMarchingCubes(gpuField);
  const gpu = context.adapterName;
  const derive = (tolerance: number, backend: 'cpu' | 'gpu'): Method => ({
    name: `derived, tolerance ${tolerance}`,
    adapter: backend === 'cpu' ? 'cpu' : `culling on ${gpu}`,
    run: async () => {
      const device = backend === 'gpu' ? { device: context.device } : {};
      const { mesh, stats } = await deriveMesh(asset, { tolerance, backend, cache: false, ...device });
      return { ...mesh, parts: stats.timeMs };
    },
  });
  const methods: Method[] = [
    ...options.resolutions.map(
      (resolution): Method => ({
        name: `marching cubes ${resolution}`,
        adapter: gpu,
        run: async () => {
          const result = await cubes.run(resolution);
          return { ...result, parts: { ...result.gpuTimeMs, readback: result.readMs } };
        },
      }),
    ),
    ...options.resolutions
      .filter((resolution) => resolution <= 128)
      .map(
        (resolution): Method => ({
          name: `marching cubes ${resolution}`,
          adapter: 'cpu',
          run: async () => {
            const result = marchingCubes(field, asset.domain, { resolution });
            return { ...result, timeMs: undefined as never, parts: result.timeMs };
          },
        }),
      ),
    {
      name: 'culling alone',
      adapter: gpu,
      run: async () => {
        const { lattice } = makePlan(field, {});
        const cull = await cullOnGpu(context, asset, lattice, {
          isoOffset: isoOffsetOf(asset),
          isTimed: true,
        });
        const parts = { ...cull.gpuTimeMs, boxes: cull.boxes.length / 3 };
        return { positions: new Float32Array(), indices: new Uint32Array(), nBytes: cull.nBytes, parts };
      },
    },
    ...options.tolerances.flatMap((tolerance) => [derive(tolerance, 'gpu'), derive(tolerance, 'cpu')]),
  ];
  const rows: GpuRow[] = [];
  for (const method of methods) {
    const row = await measureMethod(method, asset, options);
    options.report(row);
    rows.push(row);
  }
  gpuField.dispose();
  return rows;
}

async function measureMethod(
  { name, adapter, run }: Method,
  asset: FieldAsset,
  { runs, samples }: MeasureOptions,
): Promise<GpuRow> {
  const times: number[] = [];
  let last = await run(); // warm-up: compiles, uploads
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    last = await run();
    times.push(last.timeMs ?? performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const { positions, indices, nBytes = 0, parts = {} } = last;
  const field = createCpuField(asset);
  const check =
    indices.length === 0
      ? undefined
      : await checkMesh({ positions, indices }, { field, domain: asset.domain, samples });
  return {
    method: name,
    adapter,
    medianMs: times[times.length >> 1],
    fastestMs: times[0],
    slowestMs: times[times.length - 1],
    nVertices: positions.length / 3,
    nTriangles: indices.length / 3,
    meanError: check?.meshToZeroSet?.mean ?? null,
    worstError: check?.meshToZeroSet?.max ?? null,
    gpuMegabytes: nBytes / 2 ** 20,
    parts: Object.entries(parts)
      .map(([part, ms]) => `${part} ${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)}`)
      .join('; '),
  };
}
