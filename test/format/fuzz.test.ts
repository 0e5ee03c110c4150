import { describe, expect, it } from 'vitest';
import { BUDGETS } from '../../src/budgets.ts';
import { NsdfError } from '../../src/errors.ts';
import { packGlb } from '../../src/format/glb.ts';
import { readNsdf, validateNsdf } from '../../src/format/read.ts';
import type { NsdfScene } from '../../src/format/scene.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { boxMlp, randomField, sphereField } from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';
import { type LooseJson, unpack } from './glb-tools.ts';

const fallback = {
  positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0),
  normals: Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1),
  indices: Uint32Array.of(0, 1, 2),
};
const SEEDS: readonly (readonly [string, Uint8Array])[] = [
  ['grid, f32', writeNsdf(sphereField({ cells: [2, 3] }))],
  ['grid, f16, hashed', writeNsdf(randomField(1, { L: 2, T: 5, finest: 6, layers: [4] }), { dtype: 'f16' })],
  ['plain, fallback', writeNsdf(sceneOf([boxMlp(), sphereField({ cells: [2] })], { fallback }))],
];

/** Bytes of all arrays of a scene. */
function decodedBytes({ nodes }: NsdfScene): number {
  const arrays = new Set<ArrayBufferView>();
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) arrays.add(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  visit(nodes);
  return [...arrays].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Whatever the bytes: a scene no larger than they allow, or an NsdfError that the validator foretold. */
function expectTame(file: Uint8Array, what: string): boolean {
  const issues = validateNsdf(file);
  const hasErrors = issues.some(({ severity }) => severity === 'error');
  try {
    const scene = readNsdf(file);
    expect(hasErrors, what).toBe(false);
    expect(decodedBytes(scene), what).toBeLessThanOrEqual(8 * file.length);
    return true;
  } catch (error) {
    if (!(error instanceof NsdfError)) throw new Error(`${what}: ${error}`, { cause: error });
    expect(hasErrors, `${what}: ${error.message}`).toBe(true);
    return false;
  }
}

describe.each(SEEDS)('damaged bytes of %s', (_, file) => {
  it('whose bits flip are read or refused', () => {
    const random = seededRandom(101);
    let nRead = 0;
    for (let i = 0; i < 1500; i++) {
      const copy = file.slice();
      const nFlips = 1 + Math.floor(random() ** 3 * 8);
      for (let k = 0; k < nFlips; k++)
        copy[Math.floor(random() * copy.length)] ^= 1 << Math.floor(random() * 8);
      if (expectTame(copy, `seed 101, case ${i}`)) nRead++;
    }
    // Most flips of mantissa bits go unseen; a good share must be caught.
    expect(nRead).toBeGreaterThan(100);
    expect(nRead).toBeLessThan(1450);
  });

  it('whose header and JSON flip are read or refused', () => {
    const random = seededRandom(102);
    const jsonEnd = 20 + new DataView(file.buffer).getUint32(12, true) + 8;
    for (let i = 0; i < 1500; i++) {
      const copy = file.slice();
      copy[Math.floor(random() * jsonEnd)] ^= 1 << Math.floor(random() * 8);
      expectTame(copy, `seed 102, case ${i}`);
    }
  });

  it('of every length are refused', () => {
    const stride = Math.max(1, Math.floor(file.length / 600));
    for (let length = 0; length < file.length; length += stride) {
      expect(expectTame(file.slice(0, length), `length ${length}`)).toBe(false);
    }
  });
});

/** Values that a number, string, array or object is replaced with. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1,
  2,
  0.5,
  1e9,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e300,
  '',
  'x',
  '__proto__',
  [],
  [0],
  [null],
  [[]],
  {},
  { length: 3 },
];

/** All places in JSON where a value can be replaced. */
function listSlots(
  value: LooseJson,
  slots: [LooseJson, string | number][] = [],
): [LooseJson, string | number][] {
  if (typeof value !== 'object' || value === null) return slots;
  for (const key of Object.keys(value)) {
    slots.push([value, key]);
    listSlots(value[key], slots);
  }
  return slots;
}

describe.each(SEEDS)('odd JSON in %s', (_, file) => {
  const { json, bin } = unpack(file);
  const text = JSON.stringify(json);

  it('anywhere is read or refused', () => {
    const nSlots = listSlots(json).length;
    let nRefused = 0;
    for (let slot = 0; slot < nSlots; slot++) {
      for (const odd of ODD_VALUES) {
        const copy: LooseJson = JSON.parse(text);
        const [owner, key] = listSlots(copy)[slot];
        owner[key] = odd;
        if (!expectTame(packGlb(copy, bin), `slot ${slot} (${key}) = ${JSON.stringify(odd)}`)) nRefused++;
      }
    }
    expect(nRefused).toBeGreaterThan(nSlots);
  });

  it('with a value missing is read or refused', () => {
    listSlots(json).forEach((_, slot) => {
      const copy: LooseJson = JSON.parse(text);
      const [owner, key] = listSlots(copy)[slot];
      delete owner[key];
      expectTame(packGlb(copy, bin), `slot ${slot} (${key}) deleted`);
    });
  });

  it('with two odd values at once is read or refused', () => {
    const random = seededRandom(103);
    for (let i = 0; i < 1500; i++) {
      const copy: LooseJson = JSON.parse(text);
      for (let k = 0; k < 2; k++) {
        const slots = listSlots(copy);
        const [owner, key] = slots[Math.floor(random() * slots.length)];
        owner[key] = structuredClone(ODD_VALUES[Math.floor(random() * ODD_VALUES.length)]);
      }
      expectTame(packGlb(copy, bin), `seed 103, case ${i}`);
    }
  });
});

describe('files made to be slow or large', () => {
  const file = writeNsdf(sphereField({ cells: [16] }));
  const { json, bin } = unpack(file);

  it('name one table in many fields', () => {
    const many: LooseJson = JSON.parse(JSON.stringify(json));
    many.meshes[0].primitives = Array.from({ length: BUDGETS.nFields }, () => json.meshes[0].primitives[0]);
    const scene = readNsdf(packGlb(many, bin));
    expect(scene.nodes[0].mesh?.fields).toHaveLength(BUDGETS.nFields);
    expect(decodedBytes(scene)).toBeLessThanOrEqual(bin.length);
  });

  it('name overlapping tables', () => {
    const many: LooseJson = JSON.parse(JSON.stringify(json));
    const [primitive] = many.meshes[0].primitives;
    const view = many.bufferViews[1];
    many.meshes[0].primitives = Array.from({ length: 2000 }, (_, i) => {
      many.bufferViews.push({ ...view });
      const copy: LooseJson = JSON.parse(JSON.stringify(primitive));
      copy.extensions.NSDF_neural_field.encoding.levels[0].bufferView = 2 + i;
      return copy;
    });
    const issues = validateNsdf(packGlb(many, bin));
    expect(issues.filter(({ message }) => /claim more than/.test(message)).length).toBeGreaterThan(1990);
  });

  it('nest JSON deeply', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const copy = packGlb({ ...json, extras: 'HERE' }, bin);
    const text = new TextDecoder().decode(
      copy.subarray(20, 20 + new DataView(copy.buffer).getUint32(12, true)),
    );
    expectTame(packGlb({ toJSON: () => undefined, ...JSON.parse(text) }, bin), 'shallow');
    const body = new TextEncoder().encode(text.trimEnd().replace('"HERE"', deep));
    expectTame(withJson(copy, body), 'deep');
  });
});

/** A GLB of JSON text alone. */
function withJson(file: Uint8Array, text: Uint8Array): Uint8Array {
  const length = Math.ceil(text.length / 4) * 4;
  const out = new Uint8Array(20 + length).fill(0x20);
  out.set(file.subarray(0, 20));
  out.set(text, 20);
  const view = new DataView(out.buffer);
  view.setUint32(8, out.length, true);
  view.setUint32(12, length, true);
  return out;
}
