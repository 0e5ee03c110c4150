/** What decides how large a part of the view an object may cover while one of its levels is good enough. */
export interface CoverageQuery {
  /** Error of the level and radius of the object's bounding sphere, in the same units. */
  readonly errorLocal: number;
  readonly radiusLocal: number;
  /** Largest error on screen, in pixels. */
  readonly screenError: number;
  /** Focal length in pixels: half the view's height divided by the tangent of half its angle; Infinity where parallel. */
  readonly focalPixels: number;
  /** Pixels of the view. */
  readonly viewPixels: number;
}

/**
 * Screen coverage at which a level's error reaches `screenError`: the area of the bounding sphere's disc divided by the
 * view's, for engines that choose levels by coverage.
 *
 * With radius r, distance d to the centre and focal length f the disc's radius is R = f r / d pixels. The nearest point
 * of the object lies at d - r, where the error e covers f e / (d - r) = e R / (r (1 - R / f)) pixels. Solved for R.
 */
export function coverageLimit(query: CoverageQuery): number {
  const { errorLocal, radiusLocal, screenError, focalPixels, viewPixels } = query;
  const radiusPixels = 1 / (errorLocal / (screenError * radiusLocal) + 1 / focalPixels);
  return (Math.PI * radiusPixels * radiusPixels) / viewPixels;
}
