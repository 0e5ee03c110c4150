import { gzipSync, strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { nameForeignBytes } from '../../src/format/bytes.ts';
import { packGlb } from '../../src/format/glb.ts';
import { readField, readNsdf, validateNsdf } from '../../src/format/read.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { importSafetensors } from '../../src/import/index.ts';
import { sphereField } from '../fixtures/fields.ts';

const FILE = writeNsdf(sphereField({ cells: [3] }));

const FOREIGN: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['an HTML page', strToU8('\n <!DOCTYPE html><title>404</title>'), /an HTML page; check the URL/],
  ['an HTML page with a mark', strToU8('\uFEFF<html lang="en">'), /an HTML page/],
  ['a storage server’s error', strToU8('<?xml version="1.0"?><Error/>'), /an XML document/],
  [
    'a Git LFS pointer',
    strToU8('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n'),
    /a Git LFS pointer.*git lfs pull/,
  ],
  ['gzip', gzipSync(FILE), /compressed by gzip; unpack/],
  ['zip', zipSync({ 'bunny.nsdf': FILE }, { level: 0 }), /a zip archive \(of "bunny\.nsdf" and more\)/],
  [
    'a checkpoint',
    zipSync({ 'model/data.pkl': strToU8('x') }, { level: 0 }),
    /a PyTorch checkpoint.*nsdf convert/,
  ],
  [
    'an old checkpoint',
    Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46),
    /PyTorch checkpoint of the old/,
  ],
  ['arrays', zipSync({ 'w.npy': strToU8('x') }, { level: 0 }), /NumPy arrays/],
  ['JSON', strToU8('{"message":"not found"}'), /is JSON; check the URL/],
  ['a glTF in JSON', strToU8('{"asset":{"version":"2.0"}}'), /a glTF in JSON \(\.gltf\)/],
  ['nothing', new Uint8Array(0), /empty \(0 bytes\)/],
];

describe.each(FOREIGN)('%s', (_, bytes, message) => {
  it('is named, in words first, by reader, validator and importer', () => {
    expect(() => readNsdf(bytes)).toThrow(message);
    expect(() => readNsdf(bytes)).toThrow(/^not a \.nsdf: the file is .*\(at byte 0\)$/);
    expect(validateNsdf(bytes)).toMatchObject([{ message: expect.stringMatching(message), byteOffset: 0 }]);
    expect(() => importSafetensors(bytes)).toThrow(message);
  });
});

describe('a GLB', () => {
  it.each(['utf-8', 'latin1'])('that was read as %s is told from one that is cut short', (encoding) => {
    const text = new TextDecoder(encoding).decode(FILE);
    const mangled = new TextEncoder().encode(text);
    expect(() => readNsdf(mangled)).toThrow(/read as text and written again/);
    expect(() => readNsdf(FILE.slice(0, FILE.length - 9))).toThrow(/truncated: .*download or copy it again/);
  });

  it('without a field is told by what it is', () => {
    const glb = packGlb(
      { asset: { version: '2.0' }, meshes: [{ primitives: [{ attributes: {} }] }] },
      new Uint8Array(0),
    );
    expect(() => readNsdf(glb)).toThrow(/^an ordinary glTF without a neural field/);
  });

  it('that shows nothing is an empty scene, in which there is no field', () => {
    for (const parts of [{}, { scenes: [{}], scene: 0 }, { nodes: [{ name: 'a' }] }]) {
      const glb = packGlb({ asset: { version: '2.0' }, ...parts }, new Uint8Array(0));
      expect(readNsdf(glb).nodes.every(({ mesh }) => mesh === null)).toBe(true);
      expect(validateNsdf(glb)).toMatchObject([{ severity: 'warning', code: 'empty' }]);
      expect(() => readField(glb)).toThrow(/no field/);
    }
  });

  it('is named where weights were expected', () => {
    expect(() => importSafetensors(FILE)).toThrow(/a GLB, as \.nsdf files are; read it with readNsdf/);
    expect(nameForeignBytes(Uint8Array.of(1, 2, 3, 4))).toBeNull();
  });
});
