/** What the loaders and objects of both engines are set to. */
import type { DeriveOptions, DeriveStage, LoadFieldsOptions, TableStore } from '../index.ts';
import type { LadderOptions, LevelLimits, LodScheduler } from '../lod/index.ts';
import { DETAIL_OPTIONS, OPTIONS, type OptionNames, refuseUnknownOptions } from '../options.ts';

/** How meshes are derived: `DeriveOptions` without what belongs to one call. */
export type DeriveSettings = Omit<DeriveOptions, 'signal' | 'onProgress' | 'structure'>;

/** The share of the page's workers that a field was loaded with: what is derived of it later keeps to it. */
export type WorkerShare = Pick<DeriveSettings, 'workerLimit'>;

export function workerShareOf({ workerLimit }: WorkerShare): WorkerShare {
  return workerLimit ? { workerLimit } : {};
}

/** How a file's fields are read, which is a part of the work of deriving them. */
export function loadOptionsOf(
  { workerLimit, backend }: Pick<DeriveSettings, 'workerLimit' | 'backend'>,
  signal: AbortSignal,
  tables?: TableStore,
): LoadFieldsOptions {
  return {
    signal,
    ...(tables && { tables }),
    ...(workerLimit && { workerLimit }),
    ...(backend && { backend }),
  };
}

/** Progress of one load. `fraction` is of the whole file's download or of all its fields' derivation, in [0, 1]. */
export interface NSDFProgress {
  readonly phase: 'download' | 'derive';
  readonly fraction: number;
  /** The stage at work and its field's name, in the `derive` phase. */
  readonly stage?: DeriveStage;
  readonly fieldName?: string;
}

/** Settings where one way to ask for a mesh replaces the others. */
export function withDetail(
  settings: DeriveSettings,
  detail: Pick<DeriveSettings, 'tolerance' | 'resolution' | 'exact'>,
): DeriveSettings {
  const others = Object.entries(settings).filter(([name]) => !DETAIL_OPTIONS.some((other) => other === name));
  return { ...Object.fromEntries(others), ...detail };
}

/** Settings with one entry set, or taken out where the value is null. */
export function withSetting<K extends keyof DeriveSettings>(
  settings: DeriveSettings,
  key: K,
  value: DeriveSettings[K] | null,
): DeriveSettings {
  const { [key]: _old, ...others } = settings;
  return (value === null ? others : { ...others, [key]: value }) as DeriveSettings;
}

/** How an object's levels of detail are made and chosen. */
export interface LodSettings extends Partial<LevelLimits>, Omit<LadderOptions, 'finest'> {
  /** Milliseconds in which a new level is dissolved in over the one before it; 0 for at once. Default: 0. */
  readonly fadeMs?: number;
  /** Height of the viewport in physical pixels, where the one that the renderer draws is not to count. */
  readonly viewportHeight?: number;
  /** Default: the page's own (`defaultScheduler`). */
  readonly scheduler?: LodScheduler;
  /**
   * The level that a load waits for: the `first` picture, which is the preview where there is one; the `coarse` level;
   * the `finest`, the one of least error; or a level by its index. Default: `first`.
   */
  readonly waitFor?: 'first' | 'coarse' | 'finest' | number;
}

/** Settings of a plugin: how a field's mesh is derived, and whether it has levels. */
export interface FieldSettings extends DeriveSettings {
  /**
   * Levels of detail, chosen by their error on screen; true for the default settings. A tolerance, a resolution or
   * `exact` beside it asks for the finest level. Default: none, a single mesh.
   */
  readonly lod?: LodSettings | boolean;
  /**
   * `gpu`: the surface stays on the engine's own GPU device, and is drawn from there. Where it cannot (an engine on WebGL, a
   * field or options that take double precision or the mesh on this side), it is read back, and `stats.backendReason` says
   * why. What stays there has no vertices here: it is not hit by rays and not exported. Levels of detail are always read
   * back. Default: `cpu`.
   */
  readonly output?: 'cpu' | 'gpu';
}

/** The settings of the levels, or null where there are none. */
export function lodOf({ lod }: FieldSettings): LodSettings | null {
  return lod === true ? {} : lod || null;
}

const LOD_NAMES = {
  screenError: true,
  hysteresis: true,
  maxLevel: true,
  maxBytes: true,
  maxTriangles: true,
  resolutions: true,
  levels: true,
  preview: true,
  fadeMs: true,
  viewportHeight: true,
  scheduler: true,
  waitFor: true,
} satisfies OptionNames<LodSettings>;

/**
 * Refuses settings that no plugin reads, in the settings of the levels too.
 * @param where what they are given to, for the message
 * @param more what this plugin reads besides
 * @throws {NsdfArgumentError} that names the setting, and the one that was meant where one is close
 */
export function refuseUnknownSettings(
  where: string,
  settings: FieldSettings,
  more: Readonly<Record<string, true>> = {},
): void {
  refuseUnknownOptions(where, settings, { ...OPTIONS, lod: true, output: true, ...more });
  if (typeof settings.lod === 'object') refuseUnknownLodSettings(settings.lod);
}

/** @throws {NsdfArgumentError} for one that no plugin reads */
export function refuseUnknownLodSettings(lod: object): void {
  refuseUnknownOptions('lod', lod, { ...LOD_NAMES, onLevel: true });
}
