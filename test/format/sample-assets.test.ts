import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { readField } from '../../src/format/read.ts';
import { verifyNsdf } from '../../src/format/validate.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { SOUND } from '../surface/sound.ts';

describe.each([
  ['knot', 1, 1],
  ['gear', 1, 1],
  ['links', 2, 2],
])('the sample %s', (name, nComponents, genus) => {
  const bytes = readFileSync(new URL(`../../examples/assets/${name}.nsdf`, import.meta.url));

  it('is small, and what its hash says', async () => {
    expect(bytes.length).toBeLessThan(60_000);
    expect(await verifyNsdf(bytes)).toEqual([]);
  });

  it('is closed, and has its parts and its holes', async () => {
    const asset = readField(bytes);
    const { mesh } = await deriveMesh(asset, { resolution: 24, cache: false });
    const report = await checkMesh(mesh, {
      field: createCpuField(asset),
      domain: asset.domain,
      samples: 500,
    });
    expect(report).toMatchObject({ ...SOUND, nComponents, genus, nOpenEdgesOnDomain: 0 });
  });
});
