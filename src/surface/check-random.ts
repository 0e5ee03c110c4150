/** Uniform numbers in [0, 1) from a seed: a Weyl sequence through a 32-bit mixer, the same on every platform. */
export function createRandom(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let h = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
    return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Writes a direction that is uniform over the sphere to out[k..k+2]. */
export function writeDirection(random: () => number, out: Float64Array, k: number): void {
  const z = 2 * random() - 1;
  const angle = 2 * Math.PI * random();
  const radius = Math.sqrt(Math.max(0, 1 - z * z));
  out[k] = radius * Math.cos(angle);
  out[k + 1] = radius * Math.sin(angle);
  out[k + 2] = z;
}
