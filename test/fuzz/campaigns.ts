import { meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import { NsdfError } from '../../src/errors.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { EXTENSION_NAME } from '../../src/format/extension.ts';
import { packGlb } from '../../src/format/glb.ts';
import { inlineBuffers, listExternalBuffers } from '../../src/format/gltf-buffers.ts';
import { packWeights } from '../../src/format/packed-weights.ts';
import { readNsdf, readNsdfPrefix, validateNsdf } from '../../src/format/read.ts';
import type { NsdfScene } from '../../src/format/scene.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { importSafetensors } from '../../src/import/index.ts';
import { validateDeriveOptions } from '../../src/options.ts';
import { fromWire } from '../../src/pipeline/error-wire.ts';
import { packPartition, verifyPartitions } from '../../src/pipeline/packed-partitions.ts';
import { openEnvelope, packRecord } from '../../src/pipeline/record-envelope.ts';
import { coloredBox } from '../fixtures/colored-fields.ts';
import { compactField, reseal } from '../fixtures/compact-field.ts';
import { boxMlp, octahedronMlp, randomField, sphereField } from '../fixtures/fields.ts';
import { type LooseJson, unpack } from '../format/glb-tools.ts';
import { packHeader, packSafetensors, toTensors } from '../import/make-safetensors.ts';
import { mutateBytes, mutateGlb, mutateJson, mutateOptions, pickOne, type Random } from './mutate.ts';

/** One kind of input: makes a mutant and tries it. Throws what is a finding: anything but what it may throw. */
export interface Campaign {
  readonly name: string;
  readonly attempt: (random: Random) => void | Promise<void>;
}

/** A small input may decode to this many times its bytes: half floats, and indices of one byte. */
const MAX_GROWTH = 8;

/** Every campaign; making their seeds takes a moment. */
export async function createCampaigns(): Promise<readonly Campaign[]> {
  const packed = await packPartition(octahedronMlp(0.63), [{ resolution: 8 }]);
  const box = boxMlp();
  const weights = await packWeights(box, { uri: 'w.bin' });
  const fallback = {
    positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0),
    normals: Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 1),
    indices: Uint32Array.of(0, 1, 2),
  };
  const files = [
    writeNsdf(sphereField({ cells: [2, 3] })),
    writeNsdf(randomField(1, { L: 2, T: 5, finest: 6, layers: [4] }), { dtype: 'f16' }),
    writeNsdf(sceneOf([boxMlp(), sphereField({ cells: [2] })], { fallback })),
    writeNsdf(packed),
    writeNsdf(coloredBox()),
    writeNsdf(box, { weights }),
  ];
  const compact = writeNsdf(
    [sphereField({ cells: [2, 5] }), randomField(2, { L: 2, F: 3, T: 6, finest: 7, layers: [4] })].map(
      compactField,
    ),
    { dtype: 'compact' },
  );
  const tensors = tensorFiles();
  const meshes = (['glb', 'ply', 'obj', 'stl'] as const).map((ending) => {
    const format = meshFormatOf(`mesh.${ending}`);
    return { format, bytes: format.write(fallback) };
  });
  const records = packed.partitions ?? [];
  return [
    {
      name: '.nsdf, bytes',
      attempt: (random) => tryFile(mutateBytes(random, pickOne(random, files)), weights.bytes),
    },
    {
      name: '.nsdf, JSON',
      attempt: (random) => tryFile(mutateGlb(random, pickOne(random, files)), weights.bytes),
    },
    {
      name: 'compact tables',
      attempt: (random) =>
        void tryScene(random() < 0.5 ? mutateGlb(random, compact) : mutateStreams(random, compact)),
    },
    {
      name: 'safetensors',
      attempt: (random) => {
        const file = pickOne(random, tensors);
        const mutant = random() < 0.5 ? mutateBytes(random, file) : mutateHeader(random, file);
        const asset = expectTyped(() => importSafetensors(mutant));
        if (asset && decodedBytes(asset) > MAX_GROWTH * mutant.length)
          throw new Error('a large field of a small file');
      },
    },
    {
      name: 'mesh files',
      attempt: (random) => {
        const { format, bytes } = pickOne(random, meshes);
        const mutant = mutateBytes(random, bytes);
        const mesh = expectTyped(() => format.read(mutant));
        if (mesh && mesh.positions.byteLength > MAX_GROWTH * mutant.length)
          throw new Error('a mesh out of nothing');
      },
    },
    { name: 'records', attempt: (random) => tryRecord(random, packed, pickOne(random, records).bytes) },
    {
      name: 'options',
      attempt: (random) =>
        void expectTyped(() => validateDeriveOptions(mutateOptions(random, OPTION_NAMES) as never)),
    },
    {
      name: 'worker messages',
      attempt: (random) => {
        const error = fromWire(mutateOptions(random, WIRE_NAMES));
        if (!(error instanceof Error)) throw new Error('no error came of an error');
      },
    },
  ];
}

const OPTION_NAMES = [
  ...['tolerance', 'resolution', 'exact', 'preview', 'maxVertices', 'creaseAngle', 'region', 'blocks'],
  ...['structure', 'backend', 'device', 'cache', 'signal', 'onProgress'],
];
const WIRE_NAMES = ['name', 'message', 'stack', 'code', 'fields', 'cause'];

/** Reader and validator agree, the prefix reader keeps its promise. */
function tryScene(file: Uint8Array): NsdfScene | undefined {
  const issues = validateNsdf(file);
  const hasErrors = issues.some(({ severity }) => severity === 'error');
  const scene = expectTyped(() => readNsdf(file));
  if ((scene === undefined) !== hasErrors) throw new Error('readNsdf and validateNsdf disagree');
  readNsdfPrefix(file.subarray(0, Math.floor(0.7 * file.length)));
  readNsdfPrefix(file);
  return scene;
}

/** One of the streams damaged, its checksum right all the same. */
function mutateStreams(random: Random, file: Uint8Array): Uint8Array {
  const { json, bin } = unpack(file);
  const primitive = pickOne(random, json.meshes as LooseJson[]).primitives[0];
  const level = pickOne(random, primitive.extensions[EXTENSION_NAME].encoding.levels as LooseJson[]);
  const { byteOffset, byteLength } = json.bufferViews[level.bufferView];
  const stream = bin.subarray(byteOffset, byteOffset + byteLength);
  const n = 1 + Math.floor(6 * random());
  for (let i = 0; i < n; i++)
    stream[8 + Math.floor(random() * (byteLength - 8))] = Math.floor(256 * random());
  reseal(stream);
  return packGlb(json, bin);
}

/** As `tryScene`; `inlineBuffers` keeps its promises, nothing grows. */
function tryFile(file: Uint8Array, weights: Uint8Array): void {
  const scene = tryScene(file);
  if (scene && decodedBytes(scene) > MAX_GROWTH * file.length)
    throw new Error('a large scene of a small file');
  const uris = listExternalBuffers(file);
  const inlined = expectTyped(() => inlineBuffers(file, new Map(uris.map((uri) => [uri, weights]))));
  const most = 2 * file.length + uris.length * weights.length + 4096;
  if (inlined && inlined.length > most) throw new Error('a large file of a small one');
}

/** A record, its checksum right or wrong: used only where it holds, and never an error of another kind. */
async function tryRecord(random: Random, asset: FieldAsset, record: Uint8Array): Promise<void> {
  const { header, payload } = openEnvelope(record);
  const kind = random();
  const copy = structuredClone(header);
  if (kind < 0.3) mutateJson(random, copy);
  const made = kind < 0.3 ? packRecord(copy, payload) : packRecord(header, mutateBytes(random, payload));
  const bytes = kind < 0.85 ? made : mutateBytes(random, record);
  const partitions = (['surface', 'regions'] as const).map((each) => ({ kind: each, bytes }));
  await verifyPartitions({ ...asset, partitions });
}

function tensorFiles(): Uint8Array[] {
  return [boxMlp(), sphereField({ cells: [2] })].map((asset, i) => {
    const { tensors, metadata } = toTensors(asset, i === 0 ? 'F32' : 'F16');
    return packSafetensors(tensors, metadata, i);
  });
}

/** The header of a safetensors file with other JSON in it. */
function mutateHeader(random: Random, file: Uint8Array): Uint8Array {
  const nBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + nBytes)));
  mutateJson(random, header);
  const data = file.subarray(8 + nBytes);
  return packHeader(header, [{ dtype: 'F32', shape: [], bytes: data }]);
}

/** What the call gives; undefined where it throws one of our errors. */
function expectTyped<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof NsdfError) return undefined;
    throw error;
  }
}

/** Bytes of all arrays in a value. */
function decodedBytes(root: unknown): number {
  const arrays = new Set<ArrayBufferView>();
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) arrays.add(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  visit(root);
  return [...arrays].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
