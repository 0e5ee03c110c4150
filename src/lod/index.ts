/**
 * Levels of detail, `nsdf-loader/lod`: the ladder, the choice by error on screen, the scheduler. Engines' plugins build
 * on these and load them when levels are asked for.
 */
export { deriveLevels, type LevelDerivation } from './derive-levels.ts';
export {
  createLadder,
  type Ladder,
  type LadderLevel,
  type LadderOptions,
  type LevelDetail,
  PREVIEW_INDEX,
} from './ladder.ts';
export type { Level, LevelStatus, MadeLevel } from './level.ts';
export { type LevelListener, LevelSelector } from './level-selector.ts';
export { type LevelMaker, LevelStore } from './level-store.ts';
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
export { LEVEL_LIMITS_DEFAULTS, type LevelLimits, selectLevel } from './select-level.ts';
export { sameBlocks, VIEW_BLOCKS_DEFAULTS, type ViewBlocksOptions, viewBlocks } from './view-blocks.ts';
export { ViewFollower, type ViewMaker } from './view-follower.ts';
