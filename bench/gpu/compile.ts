import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import type { GpuContext } from '../../src/gpu/context.ts';
import { GpuSurfaceDeriver } from '../../src/surface/gpu/gpu-surface.ts';

/** What one kernel costs before it can run. */
export interface CompileRow {
  /** `stage.kernel` */
  readonly kernel: string;
  /** Bytes of its WGSL. */
  readonly nBytes: number;
  /** Processor time from the text to the pipeline, of everything that takes part. */
  readonly processorMs: number;
}

interface Source {
  readonly label: string;
  readonly code: string;
  readonly entryPoint: string;
}

/**
 * Compiles all kernels of a field's derivation, one after the other, none of them known before.
 * @param processorMs reads the processor time so far.
 */
export async function measureCompiling(
  context: GpuContext,
  asset: FieldAsset,
  processorMs: () => number | Promise<number>,
  isWanted: (kernel: string) => boolean = () => true,
): Promise<CompileRow[]> {
  const { device } = context;
  const rows: CompileRow[] = [];
  for (const { label, code, entryPoint } of await sourcesOf(context, asset)) {
    if (!isWanted(label)) continue;
    const before = await processorMs();
    const module = device.createShaderModule({ code });
    await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } });
    rows.push({
      kernel: label.replace('nsdf.', ''),
      nBytes: code.length,
      processorMs: (await processorMs()) - before,
    });
  }
  return rows;
}

/** The kernels that a derivation compiles, from a device that only writes them down. */
async function sourcesOf(context: GpuContext, asset: FieldAsset): Promise<Source[]> {
  const sources: Source[] = [];
  const recording: Partial<Record<string | symbol, unknown>> = {
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) => ({ code }),
    createComputePipelineAsync: async ({ label = '', compute }: GPUComputePipelineDescriptor) => {
      const { code } = compute.module as unknown as { code: string };
      sources.push({ label, code, entryPoint: compute.entryPoint ?? '' });
      return {};
    },
  };
  const device = new Proxy(context.device, {
    get(target, key) {
      const value = recording[key] ?? Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const field = await createGpuField(asset, { ...context, device });
  await GpuSurfaceDeriver.create(field);
  field.dispose();
  return sources;
}
