import type { FieldAsset } from '../format/asset.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import type { DeriveOptions, DeriveProgress, DeriveResult } from '../pipeline/options.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import type { LadderLevel, LevelDetail } from './ladder.ts';
import type { LevelMaker } from './level-store.ts';

/** How the levels of a field are derived and what an engine makes of them. */
export interface LevelDerivation<T> {
  /** For every level; the level itself says how it is asked for. */
  readonly options?: Omit<DeriveOptions, keyof LevelDetail | 'signal' | 'onProgress' | 'structure'>;
  /** Makes an engine's geometry; called between two frames, and takes at most a millisecond or two. */
  readonly build: (result: DeriveResult, level: LadderLevel) => T;
  /** Frees it. */
  readonly free: (value: T) => void;
  readonly onProgress?: (level: LadderLevel, progress: DeriveProgress) => void;
}

/**
 * Makes a field's levels with `deriveMesh`. The error of a level is what the derivation measured, whatever tolerance it was
 * asked for.
 */
export function deriveLevels<T>(asset: FieldAsset, derivation: LevelDerivation<T>): LevelMaker<T> {
  const { options, build, free, onProgress } = derivation;
  return {
    free,
    async make(level, signal) {
      const result = await deriveMesh(asset, {
        ...options,
        ...level.detail,
        signal,
        ...(onProgress && { onProgress: (progress) => onProgress(level, progress) }),
      });
      return () => ({
        value: build(result, level),
        nBytes: bytesOf(result.mesh),
        nTriangles: result.stats.nTriangles,
        errorLocal: errorOf(result),
      });
    },
  };
}

/** What was measured counts, whatever was asked for: both ways where what is missing isn't certified. */
function errorOf({ stats }: DeriveResult): number {
  return Math.max(stats.errorLocal ?? stats.toleranceLocal, stats.errorBackLocal ?? 0);
}

function bytesOf({ positions, normals, indices, attributes = {} }: SurfaceMesh): number {
  const arrays = [positions, normals, indices, ...Object.values(attributes)];
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
