/** What an object loads when it first has levels of detail. */
export { canKeepLevels, createLevels } from './create-levels.ts';
export { NSDFLevels } from './nsdf-levels.ts';
