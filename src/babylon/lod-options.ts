import type { Level } from '../lod/index.ts';
import type { LodSettings } from '../plugin/lod-settings.ts';

/** A level of detail came, went or failed. */
export interface NSDFLevelEvent {
  readonly level: Level<unknown>;
  readonly what: 'ready' | 'evicted' | 'failed';
  /** Why it failed. */
  readonly error?: unknown;
}

/** Levels of detail of a field: what they are, which are wanted, who makes them. Babylon changes over at once. */
export interface NSDFLodOptions extends Omit<LodSettings, 'fadeMs' | 'viewportHeight'> {
  /** Called between frames; an application that draws on demand draws again. */
  readonly onLevel?: (event: NSDFLevelEvent) => void;
}
