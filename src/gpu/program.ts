import { type ItemCount, SCAN_BLOCK, SCAN_GROUPS_OFFSET } from './item-count.ts';
import { type Bound, GROUP_SIZE, groupsFor, type Kernel } from './kernel.ts';

interface Dispatch {
  readonly kind: 'dispatch';
  readonly kernel: Kernel;
  readonly group: GPUBindGroup;
  /** Workgroups along x and y, or where on the GPU they stand. */
  readonly groups: readonly [number, number] | { readonly buffer: GPUBuffer; readonly byteOffset: number };
}

type Operation =
  | Dispatch
  | { readonly kind: 'stage'; readonly label: string }
  | {
      readonly kind: 'clear';
      readonly buffer: GPUBuffer;
      readonly byteOffset: number;
      readonly nBytes: number;
    };

/**
 * A list of dispatches that is made once and encoded for every run: bind groups cost more than the work of a small
 * kernel. How many items there are is known on the GPU only, and nothing is read back between stages.
 */
export class Program {
  readonly #operations: Operation[] = [];
  /** Operations that were put before all others. */
  #nFirst = 0;

  /** Dispatches so far. */
  get nDispatches(): number {
    return this.#operations.filter(({ kind }) => kind === 'dispatch').length;
  }

  /** Buffers that are cleared so far, or parts of them. */
  get nClears(): number {
    return this.#operations.filter(({ kind }) => kind === 'clear').length;
  }

  /** The name of the first stage. */
  get label(): string {
    const first = this.#operations.find((operation) => operation.kind === 'stage');
    return first?.label ?? 'program';
  }

  /** What follows is a stage of this name: a compute pass of its own. */
  stage(label: string): void {
    this.#operations.push({ kind: 'stage', label });
  }

  /** Runs a kernel with one invocation for each item of a count. */
  each(kernel: Kernel, { groups, capacity, layers }: ItemCount, ...resources: readonly Bound[]): void {
    const [x, y] = groupsFor(capacity, GROUP_SIZE);
    this.#push(kernel, groups ? { buffer: groups, byteOffset: 0 } : [x, y * layers], resources);
  }

  /** Runs a kernel with one workgroup for each block of items that a scan takes. */
  eachBlock(kernel: Kernel, { groups, capacity }: ItemCount, ...resources: readonly Bound[]): void {
    const direct = groupsFor(capacity, SCAN_BLOCK);
    this.#push(kernel, groups ? { buffer: groups, byteOffset: SCAN_GROUPS_OFFSET } : direct, resources);
  }

  /** Runs a kernel with one invocation for each of a known number of items. */
  eachOf(kernel: Kernel, nItems: number, ...resources: readonly Bound[]): void {
    this.#push(kernel, groupsFor(Math.max(1, nItems), GROUP_SIZE), resources);
  }

  /** Runs a kernel with this many workgroups along x and y. */
  dispatch(kernel: Kernel, groups: readonly [number, number], ...resources: readonly Bound[]): void {
    this.#push(kernel, groups, resources);
  }

  #push(kernel: Kernel, groups: Dispatch['groups'], resources: readonly Bound[]): void {
    this.#operations.push({ kind: 'dispatch', kernel, group: kernel.bind(...resources), groups });
  }

  /** Fills a buffer with zeros, from a byte on. */
  clear(buffer: GPUBuffer, byteOffset = 0, nBytes = buffer.size - byteOffset): void {
    this.#operations.push({ kind: 'clear', buffer, byteOffset, nBytes });
  }

  /** Fills a buffer with zeros before anything else is done: between dispatches that would end a pass. */
  clearFirst(buffer: GPUBuffer): void {
    this.#operations.splice(this.#nFirst++, 0, {
      kind: 'clear',
      buffer,
      byteOffset: 0,
      nBytes: buffer.size,
    });
  }

  /** The program in parts that follow each other, one a stage. */
  stages(): Program[] {
    const parts: Program[] = [];
    for (const operation of this.#operations) {
      if (operation.kind === 'stage' || parts.length === 0) parts.push(new Program());
      parts[parts.length - 1].#operations.push(operation);
    }
    return parts;
  }

  /**
   * @param describe the descriptor of a stage's passes, for timestamps.
   * @param isByKernel each dispatch is a pass of its own, named after its kernel.
   */
  encode(
    encoder: GPUCommandEncoder,
    describe: (label: string) => GPUComputePassDescriptor = (label) => ({ label: `nsdf.${label}` }),
    isByKernel = false,
  ): void {
    let pass: GPUComputePassEncoder | undefined;
    let label = 'program';
    const end = (): void => {
      pass?.end();
      pass = undefined;
    };
    for (const operation of this.#operations) {
      if (operation.kind === 'dispatch') {
        if (isByKernel) end();
        pass ??= encoder.beginComputePass(describe(isByKernel ? operation.kernel.label : label));
        encodeDispatch(pass, operation);
        continue;
      }
      end();
      if (operation.kind === 'stage') label = operation.label;
      else encoder.clearBuffer(operation.buffer, operation.byteOffset, operation.nBytes);
    }
    end();
  }
}

function encodeDispatch(pass: GPUComputePassEncoder, { kernel, group, groups }: Dispatch): void {
  pass.setPipeline(kernel.pipeline);
  pass.setBindGroup(0, group);
  if ('buffer' in groups) pass.dispatchWorkgroupsIndirect(groups.buffer, groups.byteOffset);
  else pass.dispatchWorkgroups(...groups);
}
