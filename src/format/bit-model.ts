/** Bits under adaptive probabilities: what the walk over a table codes its decisions with. Integers only. */

/** A coder of bits: writes those that it is given, or gives those that it reads. */
export interface BitCoder {
  /**
   * Codes one bit under a probability; gives it.
   * @param p0 of 4096: how likely a 0 is, 1..4095.
   */
  code(bit: number, p0: number): number;
}

/** Logistic function of x/256 - 8, in 4096ths, at whole multiples of 128. @see Mahoney 2005, lpaq: squash */
const SQUASH = [
  1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047, 2549, 2994, 3348, 3607, 3785,
  3901, 3975, 4022, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094,
];

/** The same at every x from -2048 to 2048, between the points on straight lines. */
const SQUASHED = Uint16Array.from({ length: 4097 }, (_, i) => {
  if (i === 4096) return 4095;
  const at = i >> 7;
  const share = i & 127;
  return (SQUASH[at] * (128 - share) + SQUASH[at + 1] * share + 64) >> 7;
});

function squash(x: number): number {
  return SQUASHED[Math.max(0, Math.min(4096, x + 2048))];
}

/** Inverse of {@link squash}: the least x that reaches p. */
const STRETCH = new Int16Array(4096);
for (let x = -2047, p = 0; p < 4096; x++) {
  for (const reached = x > 2047 ? 4095 : squash(x); p <= reached; p++) STRETCH[p] = x;
}

/** How fast a probability follows, in 1024ths, by how often it was asked. */
const RATES = Uint16Array.from({ length: 128 }, (_, n) => Math.floor(2048 / (2 * n + 3)));
/** How fast the mixture follows. */
const MIX_RATE = 6;

/**
 * Bits of one kind: each under three contexts, whose adaptive probabilities are mixed by weights that adapt. A class, as all that runs
 * for every bit: closures would be compiled anew for every table, which took three quarters of the time.
 */
export class BitModel {
  readonly #coder: BitCoder;
  /** Of a 1, in 65536ths, and how often asked, three to a context number. */
  readonly #odds: Uint16Array;
  readonly #asked: Uint8Array;
  readonly #weights: Int32Array;

  constructor(coder: BitCoder, nContexts: number, nSets: number) {
    this.#coder = coder;
    this.#odds = new Uint16Array(nContexts * 3).fill(32768);
    this.#asked = new Uint8Array(nContexts * 3);
    this.#weights = new Int32Array(nSets * 3).fill(26000);
  }

  /**
   * @param a the contexts' numbers: a, b and c.
   * @param set which weights mix them.
   */
  code(bit: number, a: number, b: number, c: number, set: number): number {
    const odds = this.#odds;
    const weights = this.#weights;
    const i = a * 3;
    const j = b * 3 + 1;
    const k = c * 3 + 2;
    const w = set * 3;
    const x = STRETCH[odds[i] >> 4];
    const y = STRETCH[odds[j] >> 4];
    const z = STRETCH[odds[k] >> 4];
    const dot = Math.imul(x, weights[w]) + Math.imul(y, weights[w + 1]) + Math.imul(z, weights[w + 2]);
    const p = squash(dot >> 16);
    const coded = this.#coder.code(bit, 4096 - p);
    const error = Math.imul((coded << 12) - p, MIX_RATE);
    weights[w] += (Math.imul(x, error) + 0x2000) >> 14;
    weights[w + 1] += (Math.imul(y, error) + 0x2000) >> 14;
    weights[w + 2] += (Math.imul(z, error) + 0x2000) >> 14;
    const goal = coded * 65535;
    this.#learn(i, goal);
    this.#learn(j, goal);
    this.#learn(k, goal);
    return coded;
  }

  #learn(i: number, goal: number): void {
    const odds = this.#odds;
    const asked = this.#asked;
    odds[i] += ((goal - odds[i]) * RATES[asked[i]]) >> 10;
    if (asked[i] < 127) asked[i]++;
  }
}

/** Size of a magnitude in half octaves, 0..15. */
export function sizeOf(n: number): number {
  const bits = 32 - Math.clz32(n);
  return bits < 2 ? bits : Math.min(15, 2 * bits - 2 + ((n >> (bits - 2)) & 1));
}
