import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { FieldAsset } from '../../src/format/asset.ts';
import { readField } from '../../src/format/read.ts';
import { deriveLevelShapes } from '../../src/import/grid-levels.ts';
import { importSafetensors } from '../../src/import/index.ts';
import { forEachVertex, sphereField, UNIT_DOMAIN, vertexLocal } from '../../test/fixtures/grid-fields.ts';
import { identityLayers, sumOverLevels } from '../../test/fixtures/mlp-parts.ts';
import { between, seededRandom } from '../../test/fixtures/random.ts';

/** Levels over which the cost has to grow as the surface does. */
export const SCALING_CELLS = [32, 64, 128, 256] as const;

/** A ball on one level of so many cells along an axis, at an eighth of its spacing: only the surface grows. */
export function scalingCase(cells: number): { readonly asset: FieldAsset; readonly tolerance: number } {
  const asset = { ...sphereField({ cells: [cells] }), name: `ball, one level of ${cells}` };
  return { asset, tolerance: 2 / cells / 8 };
}

/**
 * Eight levels of 4 to 128 in tables of 4096 entries, as if trained: the ball is in a coarse level, which is dense, and in
 * the finer ones, where most vertices share their entries with others, is what such a training leaves, noise.
 */
export function collidingField(): FieldAsset {
  const nLevels = 8;
  const shapes = deriveLevelShapes({
    nLevels,
    log2HashmapSize: 12,
    baseResolution: 4,
    perLevelScale: 32 ** (1 / (nLevels - 1)),
  });
  const random = seededRandom(31);
  const levels = shapes.map((shape, l) => {
    const noise = shape.isDense ? 0 : 0.1 / shape.scale;
    const params = Float32Array.from({ length: shape.nEntries }, () => between(random, -noise, noise));
    const level = { ...shape, params };
    if (l === BALL_LEVEL) {
      forEachVertex(level, (index, entry) => {
        params[entry] = Math.hypot(...vertexLocal(level, UNIT_DOMAIN, index)) - 0.6;
      });
    }
    return level;
  });
  return {
    name: 'colliding, 8 levels 4..128',
    encoding: {
      kind: 'hash-grid',
      convention: 'tiny-cuda-nn',
      nFeaturesPerLevel: 1,
      log2HashmapSize: 12,
      levels,
    },
    layers: sumOverLevels(identityLayers([-0.2, -0.1, -0.05, 0, 0.05, 0.1, 0.2, 0.3]), nLevels),
    output: { plus: 0, minus: null },
    isNegativeInside: true,
    valueScale: 1,
    domain: UNIT_DOMAIN,
  };
}

/** The finest one that is dense. */
const BALL_LEVEL = 2;

/** A field of a file, `.nsdf` or a checkpoint. */
export function fieldOf(path: string): FieldAsset {
  const bytes = readFileSync(path);
  return path.endsWith('.safetensors')
    ? importSafetensors(bytes, { name: basename(path, '.safetensors') })
    : readField(bytes);
}
