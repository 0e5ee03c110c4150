import type { DeriveProgress, DeriveResult, FieldAsset } from '../index.ts';
import {
  createLadder,
  defaultScheduler,
  deriveLevels,
  type Level,
  type LevelDetail,
  LevelStore,
} from '../lod/index.ts';
import { type DeriveSettings, type LodSettings, refuseUnknownLodSettings } from './settings.ts';

/** What an engine makes of a level. */
export interface LevelShape<T> {
  readonly build: (result: DeriveResult) => T;
  readonly free: (value: T) => void;
  /** Told of every level's derivation. */
  readonly onProgress?: (progress: DeriveProgress) => void;
}

/**
 * The levels of a field as a plugin's settings ask for them; the way to ask for a single mesh names the finest.
 * @throws {NsdfArgumentError} if a setting is unknown, or the levels asked for make no ladder
 */
export function createFieldLevels<T>(
  asset: FieldAsset,
  settings: DeriveSettings,
  lod: LodSettings,
  { build, free, onProgress }: LevelShape<T>,
): LevelStore<T> {
  refuseUnknownLodSettings(lod);
  const { tolerance, resolution, exact, preview: _preview, ...options } = settings;
  const finest: LevelDetail | undefined =
    tolerance !== undefined
      ? { tolerance }
      : resolution !== undefined
        ? { resolution }
        : exact
          ? { exact }
          : undefined;
  const ladder = createLadder(asset, { ...lod, ...(finest && { finest }) });
  const maker = deriveLevels(asset, {
    options,
    build,
    free,
    ...(onProgress && { onProgress: (_level, progress) => onProgress(progress) }),
  });
  return new LevelStore(ladder, maker, lod.scheduler ?? defaultScheduler());
}

/** The level that a load waits for. */
export function awaitedLevel<T>(store: LevelStore<T>, waitFor: LodSettings['waitFor'] = 'first'): Level<T> {
  const { levels } = store;
  if (waitFor === 'first') return store.first;
  if (waitFor === 'coarse') return levels[0];
  if (waitFor !== 'finest') return levels[Math.max(0, Math.min(levels.length - 1, waitFor))];
  return levels.reduce((best, level) => (level.errorLocal < best.errorLocal ? level : best));
}
