import { describe, expect, it } from 'vitest';
import { NsdfArgumentError } from '../../src/errors.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { writeNsdf, writeNsdfHashed } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkTopology } from '../../src/surface/check-topology.ts';
import { packField } from '../../src/train/index.ts';
import { boxMlp, forEachVertex, randomField, sphereField, vertexLocal } from '../fixtures/fields.ts';
import { sphere as ballMesh, typed } from '../surface/check-meshes.ts';

const sphere = sphereField({ cells: [4, 16], thresholds: [0.4], radius: 0.6 });

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

  it('trains on where it is asked to: the same seed gives the same bytes', async () => {
    const target = typed(ballMesh(4, 0.6, [0.05, -0.03, 0.02]));
    const options = { step: 0.02, tuneSteps: 4, seed: 4, target };
    const files = [];
    for (let i = 0; i < 2; i++) {
      const { asset, dtype } = await packField(sphere, options);
      files.push(writeNsdf(asset, { dtype }));
    }
    expect(files[0]).toEqual(files[1]);
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
    await expect(packField(sphere, { maxBytes: 900 })).rejects.toThrow(/maxBytes is 900, but even a step of/);
    await expect(packField(sphere, { error: 1e-3, step: 1 })).rejects.toThrow(
      /one of error, maxBytes and step/,
    );
    for (const [name, value] of [
      ['error', -1],
      ['maxBytes', 1.5],
      ['step', Number.NaN],
      ['tuneSteps', -1],
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
