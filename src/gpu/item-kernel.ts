import type { GpuContext } from './context.ts';
import { createKernel, GROUP_SIZE, ITEM_INDEX_WGSL, type Kernel } from './kernel.ts';

/** A function of WGSL that is to be called once for every item of a list. */
export interface ItemKernelSource {
  /** `stage.kernel` */
  readonly label: string;
  /** WGSL with a function `entry(item: u32)`. */
  readonly code: string;
  readonly entry: string;
  /** WGSL: how many items there are, an expression of what the code binds. */
  readonly count: string;
}

/**
 * Compiles a kernel that calls `entry` for every item; invocations beyond the count do nothing.
 * @throws {NsdfGpuError} if the GPU refuses the shader
 */
export function createItemKernel(
  context: GpuContext,
  { label, code, entry, count }: ItemKernelSource,
): Promise<Kernel> {
  const main = `${entry}Items`;
  const whole = `${code}${ITEM_INDEX_WGSL}
@compute @workgroup_size(${GROUP_SIZE})
fn ${main}(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let item = itemIndex(group, nGroups, local);
  if (item < ${count}) { ${entry}(item); }
}
`;
  return createKernel(context, { label, code: whole, entryPoint: main });
}

/** Code, function and number of items of an item kernel: see {@link ItemKernelSource}. */
export type ItemKernelParts = readonly [code: string, entry: string, count: string];

/** Compiles several kernels of one stage at a time. */
export async function compileKernels<K extends string>(
  context: GpuContext,
  stage: string,
  sources: Readonly<Record<K, ItemKernelParts>>,
): Promise<Readonly<Record<K, Kernel>>> {
  const names = Object.keys(sources) as K[];
  const kernels = await Promise.all(
    names.map((name) => {
      const [code, entry, count] = sources[name];
      return createItemKernel(context, { label: `${stage}.${name}`, code, entry, count });
    }),
  );
  return Object.fromEntries(names.map((name, i) => [name, kernels[i]])) as Record<K, Kernel>;
}
