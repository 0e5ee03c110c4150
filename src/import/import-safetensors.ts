import { NsdfFormatError, NsdfUnsupportedError } from '../errors.ts';
import type { FieldAsset, GridLevel, HashGridEncoding, IdentityEncoding, MlpLayer } from '../format/asset.ts';
import type { BytesSource } from '../format/bytes.ts';
import { checkField, type FieldPlaces, MEMORY_PLACES } from '../format/field-rules.ts';
import { IssueList, type NsdfPlace } from '../format/issues.ts';
import { readGridShape } from './grid-levels.ts';
import { Metadata, parseDomain, parseOutput } from './metadata.ts';
import { parseSafetensors, type SafeTensor, type SafeTensors, tensorValues } from './safetensors.ts';

/** Options of {@link importSafetensors}. */
export interface ImportOptions {
  /** Used where the file has no name of its own. */
  readonly name?: string;
}

const GRID_TENSOR = 'enc.params';
const GRID_ENCODERS = new Set(['hashgrid', 'hash-grid']);
const NO_ENCODERS = new Set(['none', 'identity']);

/**
 * Imports a trained field from safetensors: `enc.params` (flat, level after level, entry-major then feature),
 * `fc.i.weight` [out, in], `fc.i.bias`, and string metadata (docs/format.md lists the keys). Values of aligned F32
 * tensors are views of `bytes`.
 * @throws {NsdfFormatError} if the file is damaged or incomplete. @throws {NsdfUnsupportedError} for encoders,
 * activations, output rules and types that have no counterpart.
 * @example
 * const asset = importSafetensors(new Uint8Array(await file.arrayBuffer()));
 * const bytes = writeNsdf(asset);
 */
export function importSafetensors(source: BytesSource, options: ImportOptions = {}): FieldAsset {
  const file = parseSafetensors(source);
  const metadata = new Metadata(file.metadata);
  refuseOtherNetworks(metadata, file);
  const layerTensors = listLayers(file);
  const layers = layerTensors.map(readLayer);
  const asset: FieldAsset = {
    name: metadata.text('name') ?? options.name ?? 'field',
    encoding: readEncoding(metadata, file),
    layers,
    output: parseOutput(metadata, layers[layers.length - 1].nOut),
    isNegativeInside: true,
    valueScale: 1,
    domain: parseDomain(metadata),
  };
  const issues = new IssueList();
  checkField(asset, tensorPlaces(asset, file, layerTensors), issues);
  issues.throwFirstError();
  return asset;
}

/** Keys of the metadata that would change what f is. */
const PIECEWISE_ONLY: Readonly<Record<string, { allowed: readonly string[]; advice: string }>> = {
  activation: {
    allowed: ['relu'],
    advice: 'only ReLU networks are piecewise; retrain with ReLU, or distil the field into one',
  },
  interpolation: {
    allowed: ['linear', 'trilinear'],
    advice: 'only linear interpolation is piecewise trilinear',
  },
};

function refuseOtherNetworks(metadata: Metadata, file: SafeTensors): void {
  for (const [key, { allowed, advice }] of Object.entries(PIECEWISE_ONLY)) {
    const value = metadata.text(key)?.toLowerCase();
    if (value === undefined || allowed.includes(value)) continue;
    const message = `metadata ${key} is "${value.slice(0, 60)}", expected ${allowed.join(' or ')}: ${advice}`;
    throw new NsdfUnsupportedError(`${key} ${value.slice(0, 60)}`, message);
  }
  const weightNorm = [...file.tensors.keys()].find((name) => /(weight_[gv]|parametrizations)/.test(name));
  if (weightNorm === undefined) return;
  const message = `${weightNorm}: the network is weight-normed; remove the parametrization before saving`;
  throw new NsdfUnsupportedError('weight norm', message);
}

interface LayerTensors {
  readonly weight: SafeTensor;
  readonly bias: SafeTensor | null;
}

/** `fc.i.weight` and `fc.i.bias` by increasing i (gaps are fine: modules between them have no parameters). */
function listLayers(file: SafeTensors): LayerTensors[] {
  const indices = new Set<number>();
  for (const name of file.tensors.keys()) {
    const match = /^fc\.(\d{1,9})\.(.+)$/.exec(name);
    if (match === null) continue;
    if (match[2] !== 'weight' && match[2] !== 'bias') {
      throw new NsdfUnsupportedError(
        `tensor ${name}`,
        `${name} is unknown, expected fc.i.weight and fc.i.bias`,
      );
    }
    indices.add(Number(match[1]));
  }
  if (indices.size === 0) {
    const found = [...file.tensors.keys()].slice(0, 4).join(', ') || 'no tensors';
    throw new NsdfFormatError(`no layers: expected tensors fc.0.weight and so on, found ${found}`, {
      field: 'fc',
    });
  }
  return [...indices]
    .sort((a, b) => a - b)
    .map((i) => ({
      weight: requireTensor(file, `fc.${i}.weight`),
      bias: file.tensors.get(`fc.${i}.bias`) ?? null,
    }));
}

function requireTensor(file: SafeTensors, name: string): SafeTensor {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) throw new NsdfFormatError(`tensor ${name} is missing`, { field: name });
  return tensor;
}

function readLayer({ weight, bias }: LayerTensors): MlpLayer {
  expectRank(weight, 2);
  if (bias !== null) expectRank(bias, 1);
  const [nOut, nIn] = weight.shape;
  return { nIn, nOut, weights: tensorValues(weight), bias: bias === null ? null : tensorValues(bias) };
}

function expectRank(tensor: SafeTensor, rank: number): void {
  const { name, shape, byteOffset } = tensor;
  if (shape.length === rank) return;
  const message = `${name} has shape [${shape}], expected ${rank} dimension${rank === 1 ? '' : 's'}`;
  throw new NsdfFormatError(message, { field: name, byteOffset });
}

function readEncoding(metadata: Metadata, file: SafeTensors): HashGridEncoding | IdentityEncoding {
  const encoder =
    metadata.text('encoder')?.toLowerCase() ?? (file.tensors.has(GRID_TENSOR) ? 'hashgrid' : 'none');
  if (NO_ENCODERS.has(encoder)) {
    return { kind: 'none', inputSpace: metadata.text('input') === 'unit' ? 'unit' : 'local' };
  }
  if (!GRID_ENCODERS.has(encoder)) {
    const message = `encoder "${encoder.slice(0, 60)}", expected "hashgrid" (tiny-cuda-nn's convention) or "none"`;
    throw new NsdfUnsupportedError(`encoder ${encoder.slice(0, 60)}`, message);
  }
  const params = tensorValues(requireTensor(file, GRID_TENSOR));
  const { levels: shapes, ...rest } = readGridShape(metadata, params.length);
  let begin = 0;
  const levels = shapes.map((shape): GridLevel => {
    const end = begin + shape.nEntries * rest.nFeaturesPerLevel;
    const level = { ...shape, params: params.subarray(begin, end) };
    begin = end;
    return level;
  });
  return { kind: 'hash-grid', convention: 'tiny-cuda-nn', ...rest, levels };
}

/** Names a value by its tensor and its first byte in the file. */
function tensorPlaces(asset: FieldAsset, file: SafeTensors, layers: readonly LayerTensors[]): FieldPlaces {
  const bytesPerValue = (tensor: SafeTensor): number =>
    tensor.bytes.length / tensor.shape.reduce((p, n) => p * n, 1);
  const at = (tensor: SafeTensor | null | undefined, element: number): NsdfPlace =>
    tensor ? { path: tensor.name, byteOffset: tensor.byteOffset + element * bytesPerValue(tensor) } : {};
  const levels = asset.encoding.kind === 'hash-grid' ? asset.encoding.levels : [];
  const nBefore = (index: number): number =>
    levels.slice(0, index).reduce((n, { params }) => n + params.length, 0);
  const grid = file.tensors.get(GRID_TENSOR);
  const meta = (key: string): NsdfPlace => ({ path: `__metadata__.${key}` });
  return {
    domain: meta('domain'),
    output: meta('output'),
    valueScale: {},
    lodResolutions: {},
    region: {},
    tolerance: {},
    attributes: {},
    // The layout has none.
    attribute: () => MEMORY_PLACES,
    encoding: meta('encoder'),
    mlp: { path: 'fc' },
    level: (index) => ({ path: `${GRID_TENSOR} (level ${index})` }),
    levelParams: (index, element) => at(grid, nBefore(index) + element),
    layer: (index) => ({ path: layers[index].weight.name }),
    weights: (index, element) => at(layers[index].weight, element),
    bias: (index, element) => at(layers[index].bias, element),
  };
}
