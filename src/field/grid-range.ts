import type { FieldAsset } from '../format/asset.ts';
import { type DomainFrame, toInput } from './frame.ts';
import { entryIndex } from './hash-grid.ts';

/** Ranges of the encoder's outputs over boxes. */
export interface FeatureRanger {
  /** See `CpuField.featureRange`. */
  range(
    min: ArrayLike<number>,
    max: ArrayLike<number>,
    outLo: Float64Array,
    outHi: Float64Array,
    outIsTrilinear: Uint8Array,
  ): void;
  readonly frame: DomainFrame;
  readonly encoding: FieldAsset['encoding'];
}

export function createFeatureRanger(encoding: FieldAsset['encoding'], frame: DomainFrame): FeatureRanger {
  const first = new Float64Array(3);
  const last = new Float64Array(3);
  return {
    frame,
    encoding,
    range(min, max, outLo, outHi, outIsTrilinear) {
      if (encoding.kind === 'none') return;
      const F = encoding.nFeaturesPerLevel;
      outLo.fill(Number.POSITIVE_INFINITY, 0, encoding.levels.length * F);
      outHi.fill(Number.NEGATIVE_INFINITY, 0, encoding.levels.length * F);
      encoding.levels.forEach((level, l) => {
        let isOneCell = true;
        for (let a = 0; a < 3; a++) {
          first[a] = Math.floor(toInput(frame, a, min[a]) * level.scale + level.offset);
          last[a] = Math.floor(toInput(frame, a, max[a]) * level.scale + level.offset) + 1;
          if (last[a] > first[a] + 1) isOneCell = false;
        }
        outIsTrilinear[l] = isOneCell ? 1 : 0;
        for (let z = first[2]; z <= last[2]; z++) {
          for (let y = first[1]; y <= last[1]; y++) {
            for (let x = first[0]; x <= last[0]; x++) {
              const entry = entryIndex(level, x, y, z);
              for (let k = 0; k < F; k++) {
                const v = level.params[entry * F + k];
                outLo[l * F + k] = Math.min(outLo[l * F + k], v);
                outHi[l * F + k] = Math.max(outHi[l * F + k], v);
              }
            }
          }
        }
      });
    },
  };
}
