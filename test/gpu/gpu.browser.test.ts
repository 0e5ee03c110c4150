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
import { defineCounts } from '../../src/gpu/counts.ts';
import { type ItemCount, SCAN_BLOCK } from '../../src/gpu/item-count.ts';
import { type Bound, createKernel } from '../../src/gpu/kernel.ts';
import { createProgramTools, ProgramBuilder } from '../../src/gpu/program-builder.ts';
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

describe('a program', () => {
  const COUNTS = defineCounts(['values', 'sum', 'whole', 'listed', 'most', 'twice', 'numbers', 'more']);
  const N = [1, 5, 1023, 1024, 1025, 70_000];

  /** Builds a program on some values, runs it, and gives what to read its buffers with. */
  async function run<T>(
    values: Uint32Array<ArrayBuffer>,
    build: (builder: ProgramBuilder<(typeof COUNTS.names)[number]>, words: GPUBuffer, items: ItemCount) => T,
  ) {
    const arena = new GpuArena(context);
    const tools = await createProgramTools(context);
    const times = createTimestamps(arena, 'test', 16);
    const { builder, built } = await guarded(context, 'test', () => {
      const builder = new ProgramBuilder(tools, arena, COUNTS);
      arena.write(builder.counts, Uint32Array.of(values.length), COUNTS.at.values * 4);
      builder.stage('test');
      const words = arena.upload('test.values', values, USAGE.storage);
      const built = build(builder, words, builder.items('values', values.length));
      const encoder = context.device.createCommandEncoder();
      builder.program.encode(encoder, (label) => times.pass(label));
      times.resolve(encoder);
      context.device.queue.submit([encoder.finish()]);
      return { builder, built };
    });
    const read = async (bound: Bound, n: number) => {
      const { buffer, offset = 0 } = 'buffer' in bound ? bound : { buffer: bound };
      return new Uint32Array(await arena.read(buffer, n * 4, 'test', offset));
    };
    const counts = await read(builder.counts, COUNTS.byteLength / 4);
    const count = (name: (typeof COUNTS.names)[number]) => counts[COUNTS.at[name]];
    return { built, read, count, times: await times.read(), dispose: () => arena.dispose() };
  }

  function randomValues(n: number, most: number): Uint32Array<ArrayBuffer> {
    const random = seededRandom(n);
    return Uint32Array.from({ length: n }, () => Math.floor(random() * most));
  }

  it.each([...N.map((n) => [n, false] as const), ...N.map((n) => [n, true] as const)])(
    'scans %i values (by one workgroup: %s): every sum before, the total, the most so far',
    async (n, isSmall) => {
      const values = randomValues(n, 9);
      const { built, read, count, times, dispose } = await run(values, (builder, words, items) =>
        builder.scan('test.scan', items, words, {
          to: 'whole',
          base: 'values',
          sum: 'sum',
          peak: 'most',
          isSmall,
        }),
      );
      const total = values.reduce((sum, v) => sum + v, 0);
      expect([count('sum'), count('whole'), count('most')]).toEqual([total, n + total, total]);
      const offsets = await read(built.offsets, n);
      const sums = await read(built.sums, Math.ceil(n / SCAN_BLOCK));
      let before = 0;
      for (let i = 0; i < n; i++) {
        if (offsets[i] + sums[Math.floor(i / SCAN_BLOCK)] !== before)
          throw new Error(`sum before value ${i}`);
        before += values[i];
      }
      if (context.hasTimestamps) expect(times.test).toBeGreaterThan(0);
      dispose();
    },
  );

  it.each([...N.map((n) => [n, false] as const), ...N.map((n) => [n, true] as const)])(
    'lists those of %i items that have a bit (by one workgroup: %s), no more than there is room for',
    async (n, isSmall) => {
      const values = randomValues(n, 8);
      const { built, read, count, dispose } = await run(values, (builder, words, items) => {
        const listing = { to: 'listed', mask: 4, capacity: 1000, isSmall } as const;
        return builder.list('test.list', items, words, listing);
      });
      const expected = [...values.keys()].filter((i) => (values[i] & 4) !== 0);
      expect(count('listed')).toBe(expected.length);
      const nKept = Math.min(1000, expected.length);
      expect([...(await read(built.list, 1000)).subarray(0, nKept)]).toEqual(expected.slice(0, nKept));
      expect([...(await read(built.items.groups as GPUBuffer, 1))]).toEqual([Math.ceil(nKept / 64)]);
      dispose();
    },
  );

  it('scans again and again into one count, each time from nothing', async () => {
    const values = randomValues(5000, 9);
    const { read, count, built, dispose } = await run(values, (builder, words, items) => {
      const totals = { to: 'sum', peak: 'most' } as const;
      builder.scan('test.first', items, words, totals);
      builder.list('test.few', items, words, { to: 'sum', mask: 8, peak: 'most' });
      return builder.scan('test.again', items, words, totals);
    });
    const total = values.reduce((sum, v) => sum + v, 0);
    expect([count('sum'), count('most')]).toEqual([total, total]);
    const last = values.subarray(4096).reduce((sum, v) => sum + v, 0);
    expect((await read(built.sums, 5))[4]).toBe(total - last);
    dispose();
  });

  it('adds counts up', async () => {
    const { count, dispose } = await run(randomValues(10, 3), (builder, words, items) => {
      builder.scan('test.scan', items, words, { to: 'sum' });
      builder.combine('twice', { values: 2, sum: -1 });
    });
    expect(count('twice')).toBe(20 - count('sum'));
    dispose();
  });

  it('numbers keys by who asked first, and keeps the numbers in later rounds', async () => {
    const values = randomValues(20_000, 3000);
    const keysOf = (shift: number) =>
      Uint32Array.from({ length: values.length * 2 }, (_, i) => (i % 2 === 0 ? values[i >> 1] + shift : 7));
    const { built, read, count, dispose } = await run(values, (builder, _, items) => {
      const table = builder.keyTable('test.keys', 6000);
      builder.clear(table.slots);
      const upload = (shift: number) => builder.arena.upload('test.keys', keysOf(shift), USAGE.storage);
      const first = builder.number('test.first', table, items, upload(0), { after: 'numbers' });
      const again = builder.number('test.again', table, items, upload(1500), {
        before: 'numbers',
        after: 'whole',
        added: 'more',
      });
      return { first, again };
    });
    const numbers = new Map<number, number>();
    const numberOf = (key: number) => {
      if (!numbers.has(key)) numbers.set(key, numbers.size);
      return numbers.get(key);
    };
    expect([...(await read(built.first, values.length))]).toEqual(Array.from(values, numberOf));
    const nFirst = numbers.size;
    expect([...(await read(built.again, values.length))]).toEqual(
      Array.from(values, (v) => numberOf(v + 1500)),
    );
    expect([count('numbers'), count('whole'), count('more')]).toEqual([
      nFirst,
      numbers.size,
      numbers.size - nFirst,
    ]);
    dispose();
  });

  it('hands buffers on only when a scope is over, and not those that it returns', async () => {
    const { built, dispose } = await run(randomValues(4, 2), (builder) => {
      const kept = builder.scope(() => ({ kept: builder.create('test.kept', 4096), gone: 0 }));
      let inner: GPUBuffer | undefined;
      builder.scope(() => {
        inner = builder.create('test.inner', 8192);
        expect(builder.create('test.beside', 8192)).not.toBe(inner);
      });
      const next = builder.create('test.next', 8000);
      return { kept: kept.kept, inner, next, other: builder.create('test.other', 4096) };
    });
    expect([built.next === built.inner, built.other === built.kept]).toEqual([true, false]);
    dispose();
  });
});
