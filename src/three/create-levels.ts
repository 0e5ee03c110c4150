import type { BufferGeometry } from 'three';
import type { DeriveStats, FieldAsset, Vec3 } from '../index.ts';
import type { LevelStore } from '../lod/index.ts';
import type { DeriveSettings } from '../plugin/derive-settings.ts';
import { createFieldLevels, type LevelShape } from '../plugin/field-levels.ts';
import type { LodSettings } from '../plugin/lod-settings.ts';
import { createGeometry } from './geometry.ts';

/** What a level is in three: shared by the meshes of an object and its clones. */
export interface LevelGeometry {
  readonly geometry: BufferGeometry;
  readonly stats: DeriveStats;
  readonly isEmpty: boolean;
  /** Where the geometry lies in the object's space; see `SurfaceMesh.origin`. */
  readonly origin?: Vec3 | undefined;
}

/** Makes the levels of a field; `NSDFObject`s and their clones share them. */
export function createLevels(
  asset: FieldAsset,
  settings: DeriveSettings,
  lod: LodSettings,
  onProgress?: LevelShape<LevelGeometry>['onProgress'],
): LevelStore<LevelGeometry> {
  return createFieldLevels<LevelGeometry>(asset, settings, lod, {
    build: ({ mesh, stats, isEmpty }) => {
      return { geometry: createGeometry(mesh, asset.name), stats, isEmpty, origin: mesh.origin };
    },
    free: ({ geometry }) => geometry.dispose(),
    ...(onProgress && { onProgress }),
  });
}

/** Whether other settings ask for the levels that are there. */
export function canKeepLevels(
  levels: {
    readonly store: LevelStore<LevelGeometry>;
    readonly settings: LodSettings;
    readonly derive: DeriveSettings;
  },
  lod: LodSettings,
  derive: DeriveSettings,
): boolean {
  const ladderOf = ({ resolutions, levels: details, preview }: LodSettings): string =>
    JSON.stringify([resolutions, details, preview]);
  const { scheduler = levels.store.scheduler } = lod;
  if (scheduler !== levels.store.scheduler || ladderOf(lod) !== ladderOf(levels.settings)) return false;
  const keys = new Set([...Object.keys(derive), ...Object.keys(levels.derive)]) as Set<keyof DeriveSettings>;
  return [...keys].every((key) => derive[key] === levels.derive[key]);
}
