import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { decodeTable } from '../../src/format/table-decoder.ts';
import {
  type EncodedTable,
  encodeTable,
  idealLength,
  type TableInput,
} from '../../src/format/table-encoder.ts';
import { type IntegerTable, nearestVertices, type TableShape } from '../../src/format/table-model.ts';
import { reseal } from '../fixtures/compact-field.ts';
import { seededRandom } from '../fixtures/random.ts';

const OFFSET = 0.5;

function denseShape(resolution: number, nFeatures: number, coarser: IntegerTable | null): TableShape {
  const nEntries = Math.ceil(resolution ** 3 / 8) * 8;
  return { nEntries, nFeatures, resolution, scale: resolution - 1.75, offset: OFFSET, coarser };
}

/** Smooth values with noise; half of the entries dropped, but none whose neighbours in the coarser level are dropped. */
function makeInput(shape: TableShape, seed: number, isMasked: boolean): TableInput {
  const random = seededRandom(seed);
  const { nEntries, nFeatures: F, resolution: n, coarser } = shape;
  const nearest = coarser && nearestVertices(shape, coarser.shape);
  const kept = new Uint8Array(nEntries);
  const integers = new Int32Array(nEntries * F);
  for (let i = 0; i < nEntries; i++) {
    const [x, y, z] =
      n > 0 ? [i % n, Math.floor(i / n) % n, Math.min(n - 1, Math.floor(i / (n * n)))] : [i, 0, 0];
    const wave = (Math.abs((x % 12) - 6) + Math.abs((y % 16) - 8) + Math.abs((z % 14) - 7) - 10) / 6;
    kept[i] = Number(wave > 0 || random() < 0.1);
    if (nearest && coarser) {
      const m = coarser.shape.resolution;
      kept[i] &= coarser.kept[coarser.lead + nearest[x] + m * (nearest[y] + m * nearest[z])];
    }
    for (let j = 0; j < F; j++) {
      const noise = random() - 0.5;
      integers[i * F + j] = Math.round(40 * wave * (j + 1) + 96 * noise * noise * noise);
    }
  }
  const steps = Array.from({ length: F }, (_, j) => Math.fround(0.01 / (j + 3)));
  return { shape, integers, kept: isMasked ? kept : null, steps, fills: steps.map((_, j) => j - 1) };
}

/** Levels coarse to fine, each with the one before it. */
function makeLevels(
  resolutions: readonly number[],
  F: number,
): { input: TableInput; encoded: EncodedTable }[] {
  const made: { input: TableInput; encoded: EncodedTable }[] = [];
  resolutions.forEach((n, l) => {
    const coarser = made[l - 1]?.encoded.table ?? null;
    const shape =
      n > 0
        ? denseShape(n, F, coarser && coarser.shape.resolution > 0 ? coarser : null)
        : { nEntries: 500, nFeatures: F, resolution: 0, scale: 40, offset: OFFSET, coarser: null };
    const input = makeInput(shape, 10 * l + F, l > 0);
    made.push({ input, encoded: encodeTable(input) });
  });
  return made;
}

describe.each([
  ['one level', [9], 1],
  ['three dense levels', [5, 9, 17], 1],
  ['two features', [4, 11], 2],
  ['four features, hashed', [6, 10, 0], 4],
  ['a lone vertex', [1, 2], 2],
] as const)('%s', (_, resolutions, F) => {
  it('come back as whole steps, dropped entries as the fill', () => {
    let coarser: IntegerTable | null = null;
    for (const { input, encoded } of makeLevels(resolutions, F)) {
      const decoded = decodeTable(encoded.stream, {
        ...input.shape,
        coarser: input.shape.coarser && coarser,
      });
      if (typeof decoded === 'string') throw new Error(decoded);
      const expected = Float32Array.from(input.integers, (value, i) => {
        const j = i % F;
        const isKept = input.kept?.[Math.floor(i / F)] !== 0;
        return (isKept ? value : input.fills[j]) * input.steps[j];
      });
      expect(decoded.params).toEqual(expected);
      coarser = decoded.table;
    }
  });
});

it('goes through each level once: as many as a file likes cost no more than there are', () => {
  // Each level needs the sum of all before it, which was added up anew for each: a minute for a file of 60 levels.
  const levels = makeLevels(new Array(12).fill(6), 1);
  const from = vi.spyOn(Int32Array, 'from');
  const countIn = (nLevels: number): number => {
    from.mockClear();
    let coarser: IntegerTable | null = null;
    for (const { input, encoded } of levels.slice(0, nLevels)) {
      const decoded = decodeTable(encoded.stream, {
        ...input.shape,
        coarser: input.shape.coarser && coarser,
      });
      if (typeof decoded === 'string') throw new Error(decoded);
      coarser = decoded.table;
    }
    return from.mock.calls.filter(([source]) => (source as unknown as ArrayLike<number>).length === 6 ** 3)
      .length;
  };
  expect([2, 6, 12].map(countIn)).toEqual([1, 5, 11]);
  from.mockRestore();
});

describe('the coder', () => {
  it('takes at most a hundredth more than the ideal length', () => {
    for (const { input, encoded } of makeLevels([9, 24], 2)) {
      const ideal = idealLength(input) / 8;
      const header = 8 + 2 + 11 * 2;
      expect(encoded.stream.length - header).toBeGreaterThan(0.99 * ideal);
      expect(encoded.stream.length - header).toBeLessThan(1.01 * ideal + 4);
    }
  });

  it('takes next to nothing for a table that says nothing', () => {
    const shape = denseShape(40, 1, null);
    const input = { shape, integers: new Int32Array(shape.nEntries), kept: null, steps: [1], fills: [0] };
    expect(encodeTable(input).stream.length).toBeLessThan(60);
  });

  it('knows large magnitudes, and refuses what f32 does not hold', () => {
    const shape = denseShape(2, 1, null);
    const integers = Int32Array.of(2 ** 23, -(2 ** 23), 1, 0, -1, 8_388_609, 16_777_215, 0);
    const input = { shape, integers, kept: null, steps: [0.5], fills: [0] };
    const decoded = decodeTable(encodeTable(input).stream, shape);
    expect(typeof decoded === 'string' ? decoded : decoded.params).toEqual(
      Float32Array.from(integers, (n) => n / 2),
    );
    const large = { ...input, integers: integers.with(0, 2 ** 24) };
    expect(() => encodeTable(large)).toThrow(/too large/);
  });

  it('gives the same bytes and values on every platform', () => {
    const hash = createHash('sha256');
    for (const { encoded } of makeLevels([5, 12], 2))
      hash.update(encoded.stream).update(new Uint8Array(encoded.params.buffer));
    expect(hash.digest('hex')).toBe('7b412eaecc1586abafbbb514b49ef41dcffc7cae43780a8f692bc9502ec16d2e');
  });
});

describe('damaged streams', () => {
  const [{ input, encoded }] = makeLevels([6], 2);
  const { stream } = encoded;

  it('of every length, and with any bit changed, are refused', () => {
    for (let length = 0; length < stream.length; length++) {
      expect(decodeTable(stream.slice(0, length), input.shape), `length ${length}`).toBeTypeOf('string');
    }
    for (let bit = 0; bit < 8 * stream.length; bit++) {
      const copy = stream.slice();
      copy[bit >> 3] ^= 1 << (bit & 7);
      expect(decodeTable(copy, input.shape), `bit ${bit}`).toBeTypeOf('string');
    }
    expect(decodeTable(Uint8Array.of(...stream, 0, 0, 0), input.shape)).not.toBeTypeOf('string');
    expect(decodeTable(Uint8Array.of(...stream, 0, 0, 0, 0), input.shape)).toBeTypeOf('string');
  });

  it('whose checksum is right all the same decode to something or are refused', () => {
    const random = seededRandom(4);
    let nRefused = 0;
    for (let i = 0; i < 300; i++) {
      const copy = stream.slice();
      for (let k = 0; k < 3; k++)
        copy[8 + Math.floor(random() * (copy.length - 8))] = Math.floor(random() * 256);
      reseal(copy);
      if (typeof decodeTable(copy, input.shape) === 'string') nRefused++;
    }
    expect(nRefused).toBeGreaterThan(3);
    const newer = stream.slice();
    newer[8] = 2;
    reseal(newer);
    expect(decodeTable(newer, input.shape)).toMatch(/version 2 .* update nsdf-loader/);
  });

  it('that end in values that cost nothing are whole', () => {
    // 200,000 zeros after noise: the coder's bytes end in more zeros than a reader may do without.
    const nEntries = 200_000;
    const shape = { nEntries, nFeatures: 1, resolution: 0, scale: 40, offset: OFFSET, coarser: null };
    const integers = new Int32Array(nEntries);
    const noise = seededRandom(9);
    for (let i = 0; i < 300; i++) integers[i] = Math.round(40 * noise());
    const whole = encodeTable({ shape, integers, kept: null, steps: [0.25], fills: [0] });
    const decoded = decodeTable(whole.stream, shape);
    if (typeof decoded === 'string') throw new Error(decoded);
    expect(decoded.params).toEqual(whole.params);
    expect(whole.stream.at(-1)).toBe(0);
  });

  it('have no negative zeros', () => {
    const shape = { nEntries: 8, nFeatures: 1, resolution: 0, scale: 40, offset: OFFSET, coarser: null };
    const kept = Uint8Array.of(1, 0, 1, 0, 1, 0, 1, 0);
    const { params, stream: own } = encodeTable({
      shape,
      integers: new Int32Array(8),
      kept,
      steps: [0.5],
      fills: [-0],
    });
    expect(params.every((value) => Object.is(value, 0))).toBe(true);
    expect(decodeTable(own, shape)).toMatchObject({ params });
  });

  it('that end before their values do are refused', () => {
    const short = stream.slice(0, 60);
    new DataView(short.buffer).setUint32(4, short.length - 8, true);
    reseal(short);
    expect(decodeTable(short, input.shape)).toMatch(/cut short|24 bits/);
  });
});
