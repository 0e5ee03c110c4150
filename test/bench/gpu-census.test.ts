import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { takeCensus } from '../../bench/gpu/census.ts';
import { readField } from '../../src/format/read.ts';
import { randomField } from '../fixtures/fields.ts';

const bunny = () => readField(readFileSync(new URL('../fixtures/bunny-S.nsdf', import.meta.url)));

// Each dispatch waits for the one before it, and each kernel is compiled before the first mesh is there.
it.each([
  ['the bunny', bunny],
  ['a field with more levels and a finer lattice', () => randomField(5, { L: 4, finest: 40 })],
])(
  'a partition is eighteen dispatches of ten kernels of its own, whatever the field: %s',
  async (_, make) => {
    const { stages, kernels } = await takeCensus(make());
    const of = Object.fromEntries(stages.map(({ stage, nDispatches }) => [stage, nDispatches]));
    expect(of).toMatchObject({ cull: 3, corners: 6, settle: 2, rects: 7 });
    const own = [...kernels.keys()].filter((label) => /^(cull|partition)\./.test(label));
    expect(own).toHaveLength(10);
  },
);

it('clears what it adds up in at once, before all else', async () => {
  const { stages } = await takeCensus(bunny());
  const of = Object.fromEntries(stages.map(({ stage, nClears }) => [stage, nClears]));
  expect(of).toMatchObject({ cull: 0, corners: 2, settle: 0, rects: 0 });
});
