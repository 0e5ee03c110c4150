import { describe, expect, it } from 'vitest';
import { NsdfFormatError } from '../../src/errors.ts';
import { parseSafetensors, tensorValues } from '../../src/import/safetensors.ts';
import { packHeader, packSafetensors, tensor } from './make-safetensors.ts';

const ONE = tensor([1], Float32Array.of(1));

function refusal(file: Uint8Array): NsdfFormatError {
  try {
    parseSafetensors(file);
  } catch (error) {
    if (error instanceof NsdfFormatError) return error;
    throw error;
  }
  throw new Error('the file was parsed');
}

describe('the container', () => {
  it('gives tensors and metadata without copying', () => {
    const file = packSafetensors(
      { a: tensor([2, 2], Float32Array.of(1, 2, 3, 4)), b: ONE },
      { key: 'value' },
    );
    const { tensors, metadata } = parseSafetensors(file);
    expect([...metadata]).toEqual([['key', 'value']]);
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(tensors.get('a')).toMatchObject({ dtype: 'F32', shape: [2, 2] });
    expect(Array.from(tensorValues(tensors.get('a')!))).toEqual([1, 2, 3, 4]);
    expect(tensors.get('a')!.bytes.buffer).toBe(file.buffer);
    expect(new DataView(file.buffer).getFloat32(tensors.get('b')!.byteOffset, true)).toBe(1);
  });

  it('takes metadata that are no strings as JSON, and scalars and empty tensors', () => {
    const scalar = { dtype: 'F32', shape: [], data_offsets: [0, 4] };
    const empty = { dtype: 'F32', shape: [0, 7], data_offsets: [4, 4] };
    const { tensors, metadata } = parseSafetensors(
      packHeader({ __metadata__: { n: 3, list: [1] }, scalar, empty }, [ONE]),
    );
    expect([...metadata]).toEqual([
      ['n', '3'],
      ['list', '[1]'],
    ]);
    expect(Array.from(tensorValues(tensors.get('scalar')!))).toEqual([1]);
    expect(tensorValues(tensors.get('empty')!)).toHaveLength(0);
  });

  it.each([
    ['a header longer than the file', [1, 0, 0, 1, 0, 0, 0, 0], /header length is 16777217, expected 2\.\./],
    ['a header of 2^63 bytes', [0, 0, 0, 0, 0, 0, 0, 128], /header length is 9223372036854776000/],
    ['no header', [0, 0, 0, 0, 0, 0, 0, 0], /header length is 0/],
  ])('with %s is refused', (_, head, message) => {
    const file = packSafetensors({ a: ONE });
    file.set(head);
    expect(refusal(file).message).toMatch(message);
    expect(refusal(file).byteOffset).toBe(0);
  });

  it.each([
    ['no object', [1], /not an object/],
    ['a tensor that is none', { a: 3 }, /a is not an object/],
    ['metadata that are none', { __metadata__: 3 }, /__metadata__ is not an object/],
    [
      'offsets beyond the file',
      { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } },
      /claims bytes 0\.\.8 of 4/,
    ],
    ['offsets back to front', { a: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }, /claims bytes/],
    ['negative offsets', { a: { dtype: 'F32', shape: [1], data_offsets: [-4, 0] } }, /expected dtype/],
    ['fractional shapes', { a: { dtype: 'F32', shape: [0.5, 2], data_offsets: [0, 4] } }, /expected dtype/],
    [
      'another length than its shape',
      { a: { dtype: 'F32', shape: [3], data_offsets: [0, 4] } },
      /needs 12 bytes, found 4/,
    ],
    [
      'an overflowing shape',
      { a: { dtype: 'F32', shape: [2 ** 52, 2 ** 52, 2 ** 52], data_offsets: [0, 4] } },
      /needs/,
    ],
  ])('with %s is refused', (_, header, message) => {
    expect(refusal(packHeader(header, [ONE])).message).toMatch(message);
  });

  it('that is not JSON or UTF-8 is refused', () => {
    const file = packSafetensors({ a: ONE });
    file[8] = 0xff;
    expect(refusal(file)).toMatchObject({ byteOffset: 8 });
    file[8] = 0x5b;
    expect(refusal(file).message).toMatch(/not JSON/);
  });
});
