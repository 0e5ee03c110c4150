import { expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { frameOf } from '../../src/pipeline/plan.ts';
import { derive } from './derive.ts';
import { judgeMesh } from './judge-mesh.ts';
import { seededCase } from './seeded-fields.ts';

/**
 * Of the first 150 seeds those whose meshes left their domain, or were open off its faces, before vertices were kept there
 * (2026-11-28), as far as they are quick; and a few others. `SEEDS=200-300 npx vitest seeded-fields` takes more.
 */
const SEEDS = [9, 45, 49, 85, 115];

function seedsAsked(): readonly number[] {
  const [from, to] = (process.env.SEEDS ?? '').split('-').map(Number);
  return to > from ? Array.from({ length: to - from }, (_, i) => from + i) : SEEDS;
}

it.each(seedsAsked())(
  'seed %d: closed but on the faces, manifold, inside, apart, on the zero set',
  async (seed) => {
    const { name, asset, options } = seededCase(seed);
    const { mesh } = await derive(asset, options);
    expect(judgeMesh(mesh, createCpuField(asset), frameOf(asset, options).bounds), name).toEqual([]);
  },
);
