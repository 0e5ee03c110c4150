const PER_ROOT = 12;
const BESIDE = 65536;
/** Neurons from which on nodes cost more, and there may be fewer of them. */
const LARGE_NETWORK = 64;

/**
 * Nodes of a forest after which nothing is bisected any more: bounds the time on fields whose creases are everywhere.
 * @param nRoots boxes that the surface passes through: of a forest, or of a part of one that has `nRootsInAll`.
 */
export function mostNodes(nRoots: number, nNeurons: number, nRootsInAll = nRoots, boxesPerRoot = 1): number {
  const share = Math.min(1, LARGE_NETWORK / Math.max(1, nNeurons));
  const beside = BESIDE * (nRoots / Math.max(1, nRootsInAll));
  return Math.max(2 * nRoots, (PER_ROOT * boxesPerRoot * nRoots + beside) * share);
}
