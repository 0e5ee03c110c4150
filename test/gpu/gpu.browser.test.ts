import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NsdfGpuError } from '../../src/errors.ts';
import { GpuArena, USAGE } from '../../src/gpu/arena.ts';
import {
  createGpuContext,
  disposeGpu,
  type GpuContext,
  guarded,
  shareDevice,
} from '../../src/gpu/context.ts';
import { createKernel } from '../../src/gpu/kernel.ts';
import { createScan, SCAN_BLOCK } from '../../src/gpu/scan.ts';
import { defineStruct } from '../../src/gpu/struct.ts';
import { createTimestamps } from '../../src/gpu/timestamps.ts';
import { seededRandom } from '../fixtures/random.ts';

let context: GpuContext;
beforeAll(async () => {
  context = await createGpuContext();
});
afterAll(() => disposeGpu(context));

describe('a context', () => {
  it('knows a software adapter', () => {
    expect(context.isSoftware).toBe(true);
    expect(context.adapterName).toMatch(/swiftshader/i);
  });

  it('says so where there is no WebGPU and no adapter', async () => {
    await expect(createGpuContext({ requestAdapter: async () => null } as unknown as GPU)).rejects.toThrow(
      /no adapter/,
    );
  });

  it('reports a lost device in what is under way and in what comes after', async () => {
    const doomed = await createGpuContext();
    const arena = new GpuArena(doomed);
    const buffer = arena.create('test.buffer', 1 << 20, USAGE.storage | USAGE.copySource);
    const reading = arena.read(buffer, 1 << 20, 'test');
    doomed.device.destroy();
    await expect(reading).rejects.toBeInstanceOf(NsdfGpuError);
    await expect(guarded(doomed, 'test', () => 1)).rejects.toThrow(/lost/);
    expect(doomed.lossReason()).toBeDefined();
  });

  it('turns what the GPU refuses into an error that names the stage', async () => {
    const refused = guarded(context, 'test', () =>
      context.device.createBuffer({ size: 16, usage: USAGE.mapRead | USAGE.storage }),
    );
    await expect(refused).rejects.toMatchObject({ code: 'gpu', stage: 'test' });
    const source = { label: 'test.broken', code: 'fn f() { nonsense }', entryPoint: 'f' };
    await expect(createKernel(context, source)).rejects.toMatchObject({ stage: 'test.broken' });
  });

  it('does not end a device that is shared', async () => {
    const shared = shareDevice(context.device);
    disposeGpu(shared);
    expect(await guarded(shared, 'test', () => 5)).toBe(5);
  });
});

describe('an arena', () => {
  it('gives back what was written, in parts too, and frees all', async () => {
    const arena = new GpuArena(context);
    const data = Uint32Array.from({ length: 3 << 20 }, (_, i) => i * 2654435761);
    const buffer = arena.create(
      'test.data',
      data.byteLength,
      USAGE.storage | USAGE.copySource | USAGE.copyTarget,
    );
    await arena.writeInParts(buffer, data, 0, 'test');
    const back = new Uint32Array(await arena.read(buffer, data.byteLength, 'test'));
    expect(back.every((word, i) => word === data[i])).toBe(true);
    expect(arena.nBytes).toBe(data.byteLength);
    arena.dispose();
    expect(arena.nBytes).toBe(0);
  });

  it('names the limit that a buffer would exceed', () => {
    const arena = new GpuArena(context);
    const limit = context.device.limits.maxStorageBufferBindingSize;
    expect(() => arena.create('test.large', limit + 4, USAGE.storage)).toThrow(
      expect.objectContaining({ stage: 'test', limit: 'maxStorageBufferBindingSize' }),
    );
  });
});

it('a struct lies on the GPU where this side writes it', async () => {
  const params = defineStruct('Params', { a: 'f32', b: 'vec3<f32>', c: 'vec2<u32>', d: 'u32' });
  const code = `${params.wgsl}
@group(0) @binding(0) var<uniform> params: array<Params, 2>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(1) fn test() {
  for (var i = 0u; i < 2u; i++) {
    let p = params[i];
    out[i * 4u] = p.a;
    out[i * 4u + 1u] = p.b.z;
    out[i * 4u + 2u] = f32(p.c.y);
    out[i * 4u + 3u] = f32(p.d);
  }
}`;
  const kernel = await createKernel(context, { label: 'test.struct', code, entryPoint: 'test' });
  const arena = new GpuArena(context);
  const out = arena.create('test.out', 32, USAGE.storage | USAGE.copySource);
  const bytes = params.pack(
    { a: 1, b: [2, 3, 4], c: [5, 6], d: 7 },
    { a: 8, b: [9, 10, 11], c: [12, 13], d: 14 },
  );
  const encoder = context.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(kernel.pipeline);
  pass.setBindGroup(0, kernel.bind(arena.upload('test.params', bytes, USAGE.uniform), out));
  pass.dispatchWorkgroups(1);
  pass.end();
  context.device.queue.submit([encoder.finish()]);
  expect([...new Float32Array(await arena.read(out, 32, 'test'))]).toEqual([1, 4, 6, 7, 8, 11, 13, 14]);
  arena.dispose();
});

describe('the scan', () => {
  it.each([1, 5, 1023, 1024, 1025, 300_000])('of %i values gives every sum before it', async (n) => {
    const random = seededRandom(n);
    const values = Uint32Array.from({ length: n }, () => Math.floor(random() * 9));
    const arena = new GpuArena(context);
    const scan = await createScan(context);
    const bound = scan.prepare(arena, 'test.scan', arena.upload('test.values', values, USAGE.storage), n);
    const times = createTimestamps(arena, 'test', 1);
    const encoder = context.device.createCommandEncoder();
    const pass = encoder.beginComputePass(times.pass('test.scan'));
    bound.encode(pass);
    pass.end();
    times.resolve(encoder);
    context.device.queue.submit([encoder.finish()]);
    const total = new Uint32Array(await arena.read(bound.total, 4, 'test'))[0];
    expect(total).toBe(values.reduce((sum, v) => sum + v, 0));
    const offsets = new Uint32Array(await arena.read(bound.offsets, n * 4, 'test'));
    const sums = new Uint32Array(await arena.read(bound.sums, Math.ceil(n / SCAN_BLOCK) * 4, 'test'));
    let before = 0;
    for (let i = 0; i < n; i++) {
      if (offsets[i] + sums[Math.floor(i / SCAN_BLOCK)] !== before) throw new Error(`sum before value ${i}`);
      before += values[i];
    }
    const measured = await times.read();
    if (context.hasTimestamps) expect(measured['test.scan']).toBeGreaterThan(0);
    arena.dispose();
  });
});
