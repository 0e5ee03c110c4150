/** The version of sources that were not built. */
export const UNBUILT = 'unbuilt';

/**
 * Names the code that derives meshes: records of another one are never used. The build puts a hash of the sources in
 * its place (scripts/algorithm-version.ts), so that nobody has to remember to raise a number.
 */
export const ALGORITHM_VERSION: string = UNBUILT;
