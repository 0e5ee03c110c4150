import { describe, expect, it } from 'vitest';
import { distanceBothWays, MEASURED_TOLERANCE } from '../../src/cli/measure-distance.ts';
import { packTrained } from '../../src/cli/pack-trained.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { localPositions } from '../../src/surface/mesh.ts';
import { packField, trainField } from '../../src/train/index.ts';
import { torus, typed } from '../surface/check-meshes.ts';

const INPUT = typed(torus(24));

async function errorsOf(asset: FieldAsset): Promise<number[]> {
  const side = asset.domain.max[0] - asset.domain.min[0];
  const { mesh } = await deriveMesh(asset, { tolerance: (MEASURED_TOLERANCE * side) / 2, cache: false });
  const found = distanceBothWays({ positions: localPositions(mesh), indices: mesh.indices }, INPUT);
  return [found.toInput.mean, found.fromInput.mean];
}

describe('packTrained', () => {
  it('adds at most a twentieth to the error, where moving the surface by a fifth of it adds more than it allows itself', async () => {
    const training = { resolutions: [4, 8], hidden: [4], steps: 40, nWorkers: 0 };
    const { asset, stats } = await trainField(INPUT, training);
    const before = await errorsOf(asset);
    const worst = async (packed: FieldAsset): Promise<number> =>
      Math.max(...(await errorsOf(packed)).map((x, i) => x / before[i]));
    expect(await worst((await packField(asset, { error: 0.2 * stats.errorLocal })).asset)).toBeGreaterThan(
      1.04,
    );
    // With an error of 0 the bound is a share of the domain.
    for (const errorLocal of [stats.errorLocal, 0]) {
      const packed = await packTrained(asset, [INPUT], errorLocal);
      expect(packed.dtype).toBe('compact');
      const bytes = writeNsdf(packed.asset, packed);
      expect(bytes.length).toBeLessThan(writeNsdf(asset).length / 2);
      expect(await worst(readField(bytes))).toBeLessThanOrEqual(1.04);
    }
  });
});
