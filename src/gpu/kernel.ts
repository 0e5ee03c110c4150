import { type GpuContext, guarded, settle } from './context.ts';
import { reachableWgsl } from './reachable-wgsl.ts';

/** Where a compute shader begins. */
export interface KernelSource {
  /** `stage.kernel` */
  readonly label: string;
  readonly code: string;
  readonly entryPoint: string;
}

/** What is bound, in the order of the binding numbers: whole buffers, or ranges of them. */
export type Bound = GPUBuffer | GPUBufferBinding;

/** A compiled entry point. */
export interface Kernel {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  bind(...resources: readonly Bound[]): GPUBindGroup;
}

// Pipelines belong to their device and to nothing else, so they live as long as it does: the same field shape is
// compiled once a device, however many fields have it.
const compiled = new WeakMap<GPUDevice, Map<string, Promise<Kernel>>>();

/**
 * Compiles a kernel, or finds the one that was compiled before; never blocks the page.
 * @throws {NsdfGpuError} if the GPU refuses the shader
 */
export function createKernel(context: GpuContext, source: KernelSource): Promise<Kernel> {
  const { device } = context;
  const kernels = compiled.get(device) ?? new Map<string, Promise<Kernel>>();
  compiled.set(device, kernels);
  const key = `${source.entryPoint}\n${source.code}`;
  const found = kernels.get(key);
  if (found) return found;
  const kernel = compile(context, source);
  kernels.set(key, kernel);
  kernel.catch(() => kernels.delete(key));
  return kernel;
}

/** Work on this thread between two looks at the event loop while kernels are compiled: a derivation has eighty. */
const SLICE_MS = 3;
let turn: Promise<void> = Promise.resolve();
let sliceStartMs = 0;

/** Resolves when it is one's turn to write or compile kernels: one after the other, giving way to the page now and then. */
export function takeTurn(): Promise<void> {
  turn = turn.then(async () => {
    if (performance.now() - sliceStartMs < SLICE_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    sliceStartMs = performance.now();
  });
  return turn;
}

async function compile(context: GpuContext, { label, code, entryPoint }: KernelSource): Promise<Kernel> {
  const { device } = context;
  await takeTurn();
  const module = await guarded(context, label, () =>
    device.createShaderModule({ label: `nsdf.${label}`, code: reachableWgsl(code, entryPoint) }),
  );
  const pipeline = await settle(
    context,
    label,
    device.createComputePipelineAsync({
      label: `nsdf.${label}`,
      layout: 'auto',
      compute: { module, entryPoint },
    }),
  );
  return {
    label,
    pipeline,
    bind: (...resources) =>
      device.createBindGroup({
        label: `nsdf.${label}`,
        layout: pipeline.getBindGroupLayout(0),
        entries: resources.map((resource, binding) => ({
          binding,
          resource: 'buffer' in resource ? resource : { buffer: resource },
        })),
      }),
  };
}

/** Invocations in a workgroup of kernels that take one item each. */
export const GROUP_SIZE = 64;
/** Workgroups along x, so that y stays within the limit of 65,535 as well. */
export const MAX_GROUPS_X = 65535;

/** The workgroups for `n` items, `perGroup` each: x, y. */
export function groupsFor(n: number, perGroup: number): [number, number] {
  const groups = Math.ceil(n / perGroup);
  return [Math.min(groups, MAX_GROUPS_X), Math.ceil(groups / MAX_GROUPS_X)];
}

/** WGSL: the number of an invocation in a dispatch over x and y. */
export const ITEM_INDEX_WGSL = `
fn itemIndex(group: vec3<u32>, nGroups: vec3<u32>, local: u32) -> u32 {
  return (group.x + group.y * nGroups.x) * ${GROUP_SIZE}u + local;
}
`;
