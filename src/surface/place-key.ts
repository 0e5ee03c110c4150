/**
 * One number a place: two that share one by chance are taken for one, which does no harm to whoever parts vertices at one place.
 * @param offset of its three coordinates in p.
 */
export function placeKey(p: ArrayLike<number>, offset = 0): number {
  return p[offset] * 73856093 + p[offset + 1] * 19349663.5 + p[offset + 2] * 83492791.25;
}
