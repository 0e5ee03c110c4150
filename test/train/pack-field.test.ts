import { describe, expect, it } from 'vitest';
import { NsdfArgumentError, NsdfBudgetError } from '../../src/errors.ts';
import { createAttribute } from '../../src/field/attribute-field.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { writeNsdf, writeNsdfHashed } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkTopology } from '../../src/surface/check-topology.ts';
import { packField } from '../../src/train/index.ts';
import { RAMP } from '../fixtures/colored-fields.ts';
import { boxMlp, forEachVertex, randomField, sphereField, vertexLocal } from '../fixtures/fields.ts';
import { layer } from '../fixtures/mlp-parts.ts';

const sphere = sphereField({ cells: [4, 16], thresholds: [0.4], radius: 0.6 });

/** Three channels of six features. */
const SHADES = [
  [0.5, 0.1, 0, 0.3, 0, 0.2],
  [0, 0.4, 0.3, 0, 0.2, 0],
  [0.2, 0, 0.1, 0.3, 0, 0.4],
];

async function componentsOf(asset: FieldAsset): Promise<number> {
  const { mesh } = await deriveMesh(asset, { tolerance: 5e-3, cache: false });
  return checkTopology(mesh, asset.domain).nComponents;
}

describe('packField', () => {
  it('keeps an error with the coarsest steps that do, and says what it is', async () => {
    const packed = await packField(sphere, { error: 5e-4 });
    expect(packed.error).toBeLessThanOrEqual(5e-4);
    expect(packed.error).toBeGreaterThan(2e-4);
    // The sphere crosses a sixth of the entries; rounded that far it needs what lies beside them, too.
    expect(packed.nKept).toBeLessThan(0.5 * packed.nEntries);
    // Points of the sphere itself: where the packed field is 0 it is near.
    const points = Float64Array.of(0.05 + 0.6, -0.03, 0.02, 0.05, -0.03 - 0.6, 0.02, 0.05, -0.03, 0.02 + 0.6);
    const values = new Float64Array(3);
    createCpuField(packed.asset).evaluate(points, values);
    for (const value of values) expect(Math.abs(value)).toBeLessThan(8e-3);
  });

  it('keeps a number of bytes, of a file as it is written', async () => {
    const packed = await packField(sphere, { maxBytes: 2400 });
    const file = await writeNsdfHashed(packed.asset, { dtype: packed.dtype });
    expect(file.length).toBe(packed.bytes);
    expect(file.length).toBeLessThanOrEqual(2400);
    expect(file.length).toBeGreaterThan(2300);
    expect(readField(file)).toEqual(packed.asset);
  });

  it('rounds so that the surface stays where it is: nearer than by the nearest integers, the same each time', async () => {
    const [packed, again] = [
      await packField(sphere, { step: 0.02 }),
      await packField(sphere, { step: 0.02 }),
    ];
    expect(writeNsdf(packed.asset, packed)).toEqual(writeNsdf(again.asset, again));
    // A value is off by at most half a step; on a surface that eight corners of each level say, that is a quarter of it on average.
    expect(packed.error).toBeLessThan(0.1 * 0.02);
  });

  it('rounds attributes, too, and keeps what the surface meets of them', async () => {
    const { encoding } = randomField(7, { L: 3, F: 2, T: 12, finest: 14, layers: [6] });
    const colors = { encoding, layers: [layer(SHADES, [0.5, 0.4, 0.6])] };
    const asset = { ...sphere, attributes: { COLOR_0: colors, _PLAIN: RAMP } };
    const packed = await packField(asset, { step: 1e-3 });
    const file = await writeNsdfHashed(packed.asset, { dtype: packed.dtype });
    expect(file.length).toBe(packed.bytes);
    expect(readField(file)).toEqual(packed.asset);
    const bare = await packField(sphere, { step: 1e-3 });
    const plain = await writeNsdfHashed(
      { ...bare.asset, attributes: asset.attributes },
      { dtype: bare.dtype },
    );
    expect(file.length - bare.bytes).toBeLessThan(0.5 * (plain.length - bare.bytes));
    const points = Float64Array.of(0.65, -0.03, 0.02, 0.05, -0.63, 0.02, 0.05, -0.03, 0.62);
    for (const name of ['COLOR_0', '_PLAIN']) {
      const [before, after] = [asset, packed.asset].map((of) => {
        const values = new Float64Array(9);
        createAttribute(of, name).evaluate(points, values);
        return values;
      });
      after.forEach((value, i) => {
        expect(Math.abs(value - before[i])).toBeLessThan(0.03);
      });
    }
  });

  it('drops nothing that would leave pieces where there are none', async () => {
    // 1.2 x goes from the coarse level to the fine one: where that is dropped, the coarse one alone is negative far outside.
    if (sphere.encoding.kind !== 'hash-grid') throw new Error('expected a grid');
    const levels = sphere.encoding.levels.map((level, l) => {
      const params = level.params.slice();
      forEachVertex(level, (index, entry) => {
        params[entry] += (l === 0 ? -1.2 : 1.2) * vertexLocal(level, sphere.domain, index)[0];
      });
      return { ...level, params };
    });
    const split = { ...sphere, encoding: { ...sphere.encoding, levels } };
    expect(await componentsOf(split)).toBe(1);
    const packed = await packField(split, { step: 2e-3 });
    expect(await componentsOf(packed.asset)).toBe(1);
    expect(packed.error).toBeLessThan(2e-3);
    // The same with places outside where f is nearly 0, by less than what values are rounded to: a training leaves such.
    const field = createCpuField(split);
    const [, fine] = levels;
    forEachVertex(fine, ([i, j, k], entry) => {
      if (i < 12 || i > 15 || j % 4 !== 2 || k % 4 !== 2) return;
      const value = new Float64Array(1);
      field.evaluate(Float64Array.from(vertexLocal(fine, sphere.domain, [i, j, k])), value);
      if (value[0] > 0.15) fine.params[entry] -= value[0] - 4e-3;
    });
    expect(await componentsOf(split)).toBe(1);
    expect(await componentsOf((await packField(split, { step: 2e-2 })).asset)).toBe(1);
  });

  it('takes hashed grids, two outputs and domains that are no cubes', async () => {
    const domain = { min: [-2, -0.5, 1], max: [2, 1.5, 4] } as const;
    const asset = randomField(5, { L: 3, F: 2, T: 8, finest: 8, layers: [6], nOutputs: 2, domain });
    const packed = await packField(asset, { step: 1e-3, mlp: 'f32' });
    expect(packed.dtype).toBe('compact-f32');
    expect(packed.error).toBeLessThan(0.05);
    expect(readField(writeNsdf(packed.asset, { dtype: packed.dtype }))).toEqual(packed.asset);
  });

  it('refuses what it cannot do', async () => {
    await expect(packField(boxMlp())).rejects.toThrow(/no grid/);
    const tight = await packField(sphere, { maxBytes: 900 }).catch((error: unknown) => error);
    expect(tight).toBeInstanceOf(NsdfBudgetError);
    const { needed, available, message } = tight as NsdfBudgetError;
    expect(available).toBe(900);
    expect(message).toMatch(`the smallest file that was reached has ${needed}`);
    // It is that of a whole surface.
    expect(needed).toBeLessThan(2400);
    expect((await packField(sphere, { maxBytes: needed })).bytes).toBeLessThanOrEqual(needed);
    await expect(packField(sphere, { error: 1e-3, step: 1 })).rejects.toThrow(
      /one of error, maxBytes and step/,
    );
    for (const [name, value] of [
      ['error', -1],
      ['maxBytes', 1.5],
      ['bytesBeside', -1],
      ['step', Number.NaN],
      ['mlp', 'f8'],
    ] as const) {
      const asked = packField(sphere, { [name]: value });
      await expect(asked).rejects.toBeInstanceOf(NsdfArgumentError);
      await expect(asked).rejects.toThrow(new RegExp(`^${name} is`));
    }
    await expect(packField(sphere, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
  });
});
