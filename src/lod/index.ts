/**
 * Levels of detail, `nsdf-loader/lod`: the ladder, the choice by error on screen, the scheduler. Engines' plugins build
 * on these and load them when levels are asked for.
 */

export {
  createLadder,
  type Ladder,
  type LadderLevel,
  type LadderOptions,
  type LevelDetail,
  PREVIEW_INDEX,
} from './ladder.ts';
export type { Level, LevelLimits, LevelStatus, MadeLevel } from './level.ts';
export { LEVEL_LIMITS_DEFAULTS, selectLevel } from './level.ts';
export { type LevelListener, LevelSelector } from './level-selector.ts';
export { deriveLevels, type LevelDerivation, type LevelMaker, LevelStore } from './level-store.ts';
export {
  createScheduler,
  defaultScheduler,
  type LodScheduler,
  type SchedulerOptions,
  type SchedulerStats,
} from './scheduler.ts';
export {
  type Eye,
  type LocalBounds,
  measureOnScreen,
  type ScreenScale,
} from './screen-scale.ts';
export type { ViewBlocksOptions, ViewMaker } from './view-follower.ts';
export { sameBlocks, VIEW_BLOCKS_DEFAULTS, ViewFollower, viewBlocks } from './view-follower.ts';
