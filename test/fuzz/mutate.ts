import { packGlb } from '../../src/format/glb.ts';
import { type LooseJson, unpack } from '../format/glb-tools.ts';

/** Uniform numbers in [0, 1). */
export type Random = () => number;

const cycle: LooseJson = {};
cycle.self = cycle;

/** Values that a number, string, array or object is replaced with. */
const ODD_VALUES: readonly unknown[] = [
  ...[null, true, -1, 0, 1, 2, 0.5, -0.5, 3.5, 64, 65, 1e9, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, -1e300],
  ...['', 'x', '__proto__', 'toString', 'constructor', '../x', 'f16', 'f32', 'relu', 'hashed', 'dense'],
  ...[[], [0], [null], [[]], [1, 2, 3], {}, { length: 3 }, { toString: 1, valueOf: 2 }, { min: 0, max: 1 }],
];

/** Values that no JSON can hold, for what takes any value. */
const WILD_VALUES: readonly unknown[] = [
  ...ODD_VALUES,
  ...[cycle, 7n, Symbol('x'), Object.create(null), () => 1, Number.NaN, Number.POSITIVE_INFINITY, undefined],
];

export function pickOne<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)];
}

/** A copy with bits flipped, bytes set, cut off, repeated or put in: one to eight times. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let out = bytes.slice();
  const n = 1 + Math.floor(random() ** 3 * 8);
  for (let i = 0; i < n && out.length > 0; i++) {
    const at = Math.floor(random() * out.length);
    const kind = random();
    if (kind < 0.5) out[at] ^= 1 << Math.floor(random() * 8);
    else if (kind < 0.75) out[at] = pickOne(random, [0, 1, 127, 128, 255, 0x22, 0x7b]);
    else if (kind < 0.85) out = out.slice(0, at);
    else if (kind < 0.95)
      out.copyWithin(at, Math.floor(random() * out.length), Math.floor(random() * out.length));
    else out = Uint8Array.from([...out.subarray(0, at), 0xff, ...out.subarray(at)]);
  }
  return out;
}

/** A GLB with one to three values of its JSON replaced, taken away, repeated or put elsewhere. */
export function mutateGlb(random: Random, file: Uint8Array): Uint8Array {
  const { json, bin } = unpack(file);
  mutateJson(random, json);
  return packGlb(json, bin);
}

export function mutateJson(random: Random, json: LooseJson): void {
  const n = 1 + Math.floor(random() * 3);
  for (let i = 0; i < n; i++) {
    const slots = listSlots(json);
    if (slots.length === 0) return;
    const [owner, key] = pickOne(random, slots);
    const kind = random();
    if (kind < 0.15) delete owner[key];
    else if (kind < 0.25 && Array.isArray(owner[key])) repeat(random, owner[key]);
    else if (kind < 0.35)
      owner[key] = structuredClone(
        pickOne(
          random,
          slots.map(([other, name]) => other[name]),
        ),
      );
    else owner[key] = structuredClone(pickOne(random, ODD_VALUES));
  }
}

/** An object with some of its values replaced by anything there is. */
export function mutateOptions(random: Random, names: readonly string[]): Record<string, unknown> {
  const n = 1 + Math.floor(random() * 3);
  const anyValue = (): unknown => {
    const value = pickOne(random, WILD_VALUES);
    const other = pickOne(random, WILD_VALUES);
    return random() < 0.6
      ? value
      : pickOne(random, [
          { min: value, max: other },
          { counts: value, tolerances: other },
        ]);
  };
  return Object.fromEntries(Array.from({ length: n }, () => [pickOne(random, names), anyValue()]));
}

function repeat(random: Random, list: unknown[]): void {
  const n = Math.min(2000, Math.floor(10 ** (4 * random())));
  if (list.length > 0) for (let i = 0; i < n; i++) list.push(list[0]);
}

/** All places in JSON where a value can be replaced. */
function listSlots(
  value: LooseJson,
  slots: [LooseJson, string | number][] = [],
): [LooseJson, string | number][] {
  if (typeof value !== 'object' || value === null || slots.length > 5000) return slots;
  for (const key of Object.keys(value)) {
    slots.push([value, key]);
    listSlots(value[key], slots);
  }
  return slots;
}
