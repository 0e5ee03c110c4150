import type { DeriveOptions, DeriveStage, LoadFieldsOptions, TableStore } from '../index.ts';

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
  const { tolerance: _tolerance, resolution: _resolution, exact: _exact, ...others } = settings;
  return { ...others, ...detail };
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
