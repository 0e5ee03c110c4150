import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import type { BytesSource } from '../../src/format/bytes.ts';
import { decodeNeuralField } from '../../src/format/decode-neural-field.ts';
import { glbByteLength } from '../../src/format/glb.ts';
import { inlineBuffers, listExternalBuffers } from '../../src/format/gltf-buffers.ts';
import { packWeights } from '../../src/format/packed-weights.ts';
import { readField, readNsdf, readNsdfPrefix, validateNsdf, verifyNsdf } from '../../src/format/read.ts';
import { writeNsdf, writeNsdfHashed } from '../../src/format/write.ts';
import { importSafetensors, parseSafetensors, tensorValues } from '../../src/import/index.ts';
import { boxMlp, sphereField } from '../fixtures/fields.ts';
import { type Metadata, packSafetensors, type TensorSource, toTensors } from '../import/make-safetensors.ts';
import { firstField, unpack } from './glb-tools.ts';

const GRID = await writeNsdfHashed(sphereField({ cells: [2, 3] }));
const HALF = writeNsdf(boxMlp(), { dtype: 'f16' });
const BOX = boxMlp();
const WEIGHTS = await packWeights(BOX, { uri: 'w.bin' });
const TILE = writeNsdf(BOX, { weights: WEIGHTS });
const MESH = {
  positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0),
  normals: null,
  indices: Uint32Array.of(0, 1, 2),
};

/** A header that is not padded: every tensor lies at an odd offset. */
const TENSORS = packSafetensors(...tensorsOf(boxMlp()), 3);

function tensorsOf(asset: FieldAsset): [Record<string, TensorSource>, Metadata] {
  const { tensors, metadata } = toTensors(asset);
  return [tensors, metadata];
}

/** The ways in which bytes come. */
const KINDS: readonly (readonly [string, (bytes: Uint8Array) => BytesSource])[] = [
  ['an ArrayBuffer', (bytes) => bytes.slice().buffer],
  ['a SharedArrayBuffer', (bytes) => shifted(bytes, 0, (n) => new SharedArrayBuffer(n)).buffer],
  ['a Uint8Array', (bytes) => bytes.slice()],
  ...[1, 2, 3, 6].map((by): readonly [string, (bytes: Uint8Array) => BytesSource] => [
    `a view that starts at ${by}`,
    (bytes) => shifted(bytes, by),
  ]),
  ['a view of shared memory at 1', (bytes) => shifted(bytes, 1, (n) => new SharedArrayBuffer(n))],
  ['a Buffer', (bytes) => Buffer.from(bytes)],
  [
    'a Buffer at an odd offset',
    (bytes) => Buffer.from(shifted(bytes, 5).buffer as ArrayBuffer, 5, bytes.length),
  ],
  ['a DataView', (bytes) => new DataView(shifted(bytes, 3).buffer, 3, bytes.length)],
];

function shifted(
  bytes: Uint8Array,
  by: number,
  make: (n: number) => ArrayBufferLike = (n) => new ArrayBuffer(n),
): Uint8Array {
  const out = new Uint8Array(make(bytes.length + by + 4), by, bytes.length);
  out.set(bytes);
  return by === 0 ? new Uint8Array(exact(out)) : out;
}

/** The same bytes in a buffer of just their length. */
function exact(bytes: Uint8Array): ArrayBufferLike {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

/** Every function that takes a file's bytes, and what it comes to in plain data. */
const TAKERS: readonly (readonly [string, Uint8Array, (source: BytesSource) => unknown])[] = [
  ['readNsdf', GRID, readNsdf],
  ['readNsdf of half floats', HALF, readNsdf],
  ['readField', GRID, readField],
  ['readNsdfPrefix', GRID, readNsdfPrefix],
  ['validateNsdf', GRID, validateNsdf],
  ['verifyNsdf', GRID, verifyNsdf],
  ['glbByteLength', GRID, glbByteLength],
  ['listExternalBuffers', TILE, listExternalBuffers],
  ['inlineBuffers', TILE, (source) => inlineBuffers(source, new Map([['w.bin', WEIGHTS.bytes]]))],
  ['inlineBuffers of weights', WEIGHTS.bytes, (source) => inlineBuffers(TILE, new Map([['w.bin', source]]))],
  ['importSafetensors', TENSORS, (source) => importSafetensors(source)],
  [
    'parseSafetensors',
    TENSORS,
    (source) => [...parseSafetensors(source).tensors.values()].map((tensor) => tensorValues(tensor)),
  ],
  [
    'decodeNeuralField',
    unpack(GRID).bin,
    (source) => decodeNeuralField(firstField(unpack(GRID).json), viewsOf(source)),
  ],
  ...(['glb', 'ply', 'obj', 'stl'] as const).map(
    (ending): readonly [string, Uint8Array, (source: BytesSource) => unknown] => {
      const format = meshFormatOf(`mesh.${ending}`);
      return [`the reader of .${ending}`, format.write(MESH), (source) => format.read(source as Uint8Array)];
    },
  ),
];

function viewsOf(source: BytesSource): (index: number) => BytesSource | null {
  const { bufferViews } = unpack(GRID).json;
  const [buffer, begin] = ArrayBuffer.isView(source) ? [source.buffer, source.byteOffset] : [source, 0];
  return (index) => {
    const view = bufferViews[index];
    return view ? new Uint8Array(buffer, begin + view.byteOffset, view.byteLength) : null;
  };
}

/** Mesh readers are the command line's, which hands them what `readBytes` gives. */
const isForMeshFiles = (name: string): boolean => name.startsWith('the reader');

describe.each(TAKERS)('%s', (name, bytes, take) => {
  it.each(KINDS)('takes %s', async (_kind, make) => {
    const source = make(bytes);
    if (isForMeshFiles(name) && (!(source instanceof Uint8Array) || !(source.buffer instanceof ArrayBuffer)))
      return;
    expect(await take(source)).toEqual(await take(bytes));
  });
});

describe('what holds no bytes', () => {
  const NO_BYTES: readonly unknown[] = [null, undefined, 'glTF', 7, {}, [1, 2, 3], Object.create(null)];

  it('is refused by name', () => {
    for (const source of NO_BYTES) {
      expect(() => readNsdf(source as never)).toThrow(/expected an ArrayBuffer, a typed array or a Buffer/);
    }
  });

  it('is an issue to the validator, and no prefix', async () => {
    for (const source of NO_BYTES) {
      expect(validateNsdf(source as never)).toMatchObject([{ severity: 'error', code: 'container' }]);
      expect(await verifyNsdf(source as never)).toHaveLength(1);
      expect(readNsdfPrefix(source as never)).toBeNull();
    }
  });
});
