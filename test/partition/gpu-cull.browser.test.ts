import { describe, expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { isoOffsetOf } from '../../src/partition/corners.ts';
import { cullBoxes } from '../../src/partition/cull.ts';
import { cullOnGpu, type GpuCullOptions } from '../../src/partition/gpu/gpu-cull.ts';
import { blobMlp, FIELD_CASES, multiField, randomField, sphereField } from '../fixtures/fields.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { makeTable } from './regions.ts';
import { runSteps } from './run-steps.ts';

const context = sharedGpu;

/** Samples an axis and box of the oracle. */
const N_SAMPLES = 4;

async function cull(asset: FieldAsset, options: Partial<GpuCullOptions> = {}) {
  const { table } = makeTable(asset, 24);
  const isoOffset = isoOffsetOf(asset);
  return { table, result: await cullOnGpu(context, asset, table.lattice, { isoOffset, ...options }) };
}

const keyOf = (box: ArrayLike<number>, at = 0): number => box[at] + 4096 * (box[at + 1] + 4096 * box[at + 2]);

const CASES: readonly { name: string; make: () => FieldAsset }[] = [
  ...FIELD_CASES.filter(({ name }) =>
    ['multi', 'slab', 'leaving', 'plane on grid', 'box on grid', 'random, oblong domain'].includes(name),
  ),
  { name: 'blob mlp', make: () => blobMlp(21) },
  { name: 'hashed, colliding', make: () => randomField(12, { T: 7, L: 4, finest: 20 }) },
  { name: 'three layers', make: () => randomField(18, { layers: [8, 8, 8] }) },
];

describe.each(CASES)('culling $name on the GPU', ({ name, make }) => {
  it('loses no box in which samples of f differ in sign', async () => {
    const { table, result } = await cull(make());
    const { field, lattice, isoOffset } = table;
    const kept = new Set<number>();
    for (let i = 0; i < result.boxes.length; i += 3) kept.add(keyOf(result.boxes, i));
    expect(kept.size).toBe(result.boxes.length / 3);
    const [nx, ny, nz] = lattice.planes.map((planes) => planes.length - 1);
    const n = N_SAMPLES ** 3;
    const points = new Float64Array(n * 3);
    const f = new Float64Array(n);
    let nWithSurface = 0;
    for (let b = 0; b < nx * ny * nz; b++) {
      const box = [b % nx, Math.floor(b / nx) % ny, Math.floor(b / nx / ny)];
      for (let i = 0; i < n * 3; i++) {
        const [p, k] = [Math.floor(i / 3), i % 3];
        const planes = lattice.planes[k];
        const t = (Math.floor(p / N_SAMPLES ** k) % N_SAMPLES) / (N_SAMPLES - 1);
        points[i] = planes[box[k]] + t * (planes[box[k] + 1] - planes[box[k]]);
      }
      field.evaluate(points, f);
      const nPositive = f.reduce((sum, value) => sum + (value + isoOffset >= 0 ? 1 : 0), 0);
      if (nPositive === 0 || nPositive === n) continue;
      nWithSurface++;
      expect(kept.has(keyOf(box)), `box ${box}`).toBe(true);
    }
    expect(nWithSurface).toBeGreaterThan(0);
    // A surface that lies on planes touches the boxes on both sides: the box on the grid has twice as many to keep.
    expect(result.boxes.length / 3).toBeLessThan((name.includes('on grid') ? 4 : 1.35) * nWithSurface + 8);
  });
});

it('gives the boxes in the order of the CPU', async () => {
  const { table, result } = await cull(sphereField({ cells: [6, 12, 25] }));
  const order = new Map<number, number>();
  const all = runSteps(cullBoxes(table.field, table.lattice, table));
  for (let i = 0; i < all.nBoxes; i++) order.set(keyOf(all.boxes, i * 3), i);
  const places = Array.from({ length: result.boxes.length / 3 }, (_, i) =>
    order.get(keyOf(result.boxes, i * 3)),
  );
  const found = places.filter((place) => place !== undefined);
  expect(found.length).toBeGreaterThan(0.95 * all.nBoxes);
  expect(found).toEqual([...found].sort((a, b) => a - b));
});

it('gives the same boxes in small parts as at once, within less memory', async () => {
  const asset = multiField({ cells: [8, 32] });
  const { result: whole } = await cull(asset);
  const { result: parts } = await cull(asset, { maxBlocks: 1024 });
  expect(parts.boxes).toEqual(whole.boxes);
  expect(parts.nTested).toBe(whole.nTested);
  expect(parts.nBytes).toBeLessThan(whole.nBytes);
});

it('reports rising progress, GPU times, and stops when aborted', async () => {
  const fractions: number[] = [];
  const asset = multiField();
  const { result } = await cull(asset, { isTimed: true, onProgress: (f) => fractions.push(f) });
  expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  if (context.hasTimestamps) expect(result.gpuTimeMs['cull.search']).toBeGreaterThan(0);
  const reason = new Error('enough');
  await expect(cull(asset, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

it('leaves nothing on the GPU, after an abort neither', async () => {
  const { device } = context;
  const alive = new Set<GPUBuffer>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    alive.add(buffer);
    buffer.destroy = () => {
      alive.delete(buffer);
      destroy();
    };
    return buffer;
  };
  try {
    await cull(sphereField());
    expect(alive.size).toBe(0);
    const controller = new AbortController();
    const onProgress = (): void => controller.abort('enough');
    await expect(cull(sphereField(), { onProgress, signal: controller.signal })).rejects.toBe('enough');
    expect(alive.size).toBe(0);
  } finally {
    device.createBuffer = create;
  }
});
