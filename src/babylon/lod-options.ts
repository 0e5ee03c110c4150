import type { LadderOptions, Level, LevelLimits, LodScheduler } from '../lod/index.ts';

/** A level of detail came, went or failed. */
export interface NSDFLevelEvent {
  readonly level: Level<unknown>;
  readonly what: 'ready' | 'evicted' | 'failed';
  /** Why it failed. */
  readonly error?: unknown;
}

/** Levels of detail of a field: what they are, which are wanted, who makes them. */
export interface NSDFLodOptions extends Partial<LevelLimits>, Omit<LadderOptions, 'finest'> {
  /** Who decides what is made next, within how many bytes. Default: the one that the page's fields share. */
  readonly scheduler?: LodScheduler;
  /** Called between frames; an application that draws on demand draws again. */
  readonly onLevel?: (event: NSDFLevelEvent) => void;
}
