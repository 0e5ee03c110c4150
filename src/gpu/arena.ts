import { NsdfBudgetError, NsdfGpuError } from '../errors.ts';
import { type GpuContext, settle } from './context.ts';

/** GPUBufferUsage, which Node has no global of. */
export const USAGE = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
  queryResolve: 0x200,
} as const;
const MAP_READ = 1;

/** Bytes that are copied to the queue at once: about 2 ms. */
const UPLOAD_BYTES = 4 * 2 ** 20;

/** GPU buffers that live and die together. */
export class GpuArena {
  readonly context: GpuContext;
  readonly #maxBytes: number;
  #buffers: GPUBuffer[] = [];
  #nBytes = 0;

  /** @param maxBytes that all buffers together may have. */
  constructor(context: GpuContext, maxBytes = Number.POSITIVE_INFINITY) {
    this.context = context;
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the buffers that exist. */
  get nBytes(): number {
    return this.#nBytes;
  }

  /**
   * A zeroed buffer.
   * @param label `stage.resource`
   * @throws {NsdfGpuError} if it is larger than the device's limits allow
   * @throws {NsdfBudgetError} if all buffers together were larger than they may be
   */
  create(label: string, nBytes: number, usage: number): GPUBuffer {
    const { limits } = this.context.device;
    const size = Math.max(16, Math.ceil(nBytes / 4) * 4);
    const limit =
      usage & USAGE.storage
        ? 'maxStorageBufferBindingSize'
        : usage & USAGE.uniform
          ? 'maxUniformBufferBindingSize'
          : 'maxBufferSize';
    if (size > limits[limit]) {
      throw new NsdfGpuError(
        label.split('.')[0],
        `${label} needs ${size} bytes; the device's ${limit} is ${limits[limit]}.`,
        { limit },
      );
    }
    if (this.#nBytes + size > this.#maxBytes) {
      const needed = this.#nBytes + size;
      const what = `${label} makes it ${needed} bytes on the GPU; ${this.#maxBytes} are allowed.`;
      throw new NsdfBudgetError(what, needed, this.#maxBytes);
    }
    const buffer = this.context.device.createBuffer({ label: `nsdf.${label}`, size, usage });
    this.#buffers.push(buffer);
    this.#nBytes += size;
    return buffer;
  }

  /** A buffer that holds `data`. */
  upload(label: string, data: ArrayBuffer | ArrayBufferView, usage: number): GPUBuffer {
    const buffer = this.create(label, data.byteLength, usage | USAGE.copyTarget);
    this.write(buffer, data);
    return buffer;
  }

  write(buffer: GPUBuffer, data: ArrayBuffer | ArrayBufferView, byteOffset = 0): void {
    this.context.device.queue.writeBuffer(buffer, byteOffset, bytesOf(data));
  }

  /** Writes large data in parts, and waits for the GPU after each: no single copy holds the page up. */
  async writeInParts(
    buffer: GPUBuffer,
    data: ArrayBufferView,
    byteOffset: number,
    stage: string,
  ): Promise<void> {
    const { queue } = this.context.device;
    const bytes = bytesOf(data);
    for (let at = 0; at < bytes.length; at += UPLOAD_BYTES) {
      queue.writeBuffer(buffer, byteOffset + at, bytes, at, Math.min(UPLOAD_BYTES, bytes.length - at));
      await settle(this.context, stage, queue.onSubmittedWorkDone());
    }
  }

  /** Copies the first bytes of several buffers to this side, at once. */
  async readAll(sources: readonly (readonly [GPUBuffer, number])[], stage: string): Promise<ArrayBuffer[]> {
    const { device } = this.context;
    const starts: number[] = [];
    let size = 0;
    for (const [, nBytes] of sources) {
      starts.push(size);
      size += Math.ceil(nBytes / 8) * 8;
    }
    const usage = USAGE.mapRead | USAGE.copyTarget;
    const staging = device.createBuffer({ label: `nsdf.${stage}.readback`, size: Math.max(8, size), usage });
    try {
      const encoder = device.createCommandEncoder({ label: `nsdf.${stage}.readback` });
      sources.forEach(([source, nBytes], i) => {
        if (nBytes > 0) encoder.copyBufferToBuffer(source, 0, staging, starts[i], nBytes);
      });
      device.queue.submit([encoder.finish()]);
      await settle(this.context, stage, staging.mapAsync(MAP_READ));
      const mapped = staging.getMappedRange();
      return sources.map(([, nBytes], i) => mapped.slice(starts[i], starts[i] + nBytes));
    } finally {
      staging.destroy();
    }
  }

  /** Copies a buffer's first bytes to this side. */
  async read(source: GPUBuffer, nBytes: number, stage: string, byteOffset = 0): Promise<ArrayBuffer> {
    const { device } = this.context;
    const size = Math.max(4, nBytes);
    const staging = device.createBuffer({
      label: `nsdf.${stage}.readback`,
      size,
      usage: USAGE.mapRead | USAGE.copyTarget,
    });
    try {
      const encoder = device.createCommandEncoder({ label: `nsdf.${stage}.readback` });
      encoder.copyBufferToBuffer(source, byteOffset, staging, 0, size);
      device.queue.submit([encoder.finish()]);
      await settle(this.context, stage, staging.mapAsync(MAP_READ));
      return staging.getMappedRange().slice(0, nBytes);
    } finally {
      staging.destroy();
    }
  }

  /** Frees one buffer before the others. */
  free(buffer: GPUBuffer): void {
    const at = this.#buffers.indexOf(buffer);
    if (at < 0) return;
    this.#buffers.splice(at, 1);
    this.#nBytes -= buffer.size;
    buffer.destroy();
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers = [];
    this.#nBytes = 0;
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
