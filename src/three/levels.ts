/** What an object loads when it first has levels of detail, or a view to follow. */
export { ViewFollower } from '../lod/index.ts';
export { canKeepLevels, createLevels } from './create-levels.ts';
export { NSDFLevels } from './nsdf-levels.ts';
