import { checkBudget } from '../budgets.ts';
import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset } from './asset.ts';
import { encodeField, type FieldViews, fieldJson, placeNetworks, roundField } from './encode-field.ts';
import { EXTENSION_NAME, type WeightType } from './extension.ts';
import { packGlb } from './glb.ts';
import { contentHash } from './hash.ts';
import { addPackedViews, checkPacked, type PackedWeights } from './packed-weights.ts';
import {
  DEFAULT_MATERIAL,
  type FallbackMesh,
  IDENTITY_NODE,
  type NsdfField,
  type NsdfMaterial,
  type NsdfMesh,
  type NsdfNode,
  type NsdfScene,
} from './scene.ts';
import { BinWriter, boundsAccessor, fallbackAttributes } from './write-bin.ts';

/** How a scene is written. */
export interface WriteOptions {
  /** `f16` halves the file and rounds the weights, which changes the field a little. Default: `f32`. */
  readonly dtype?: WeightType;
  /** Refer to weights that were packed as a file of their own, instead of holding them; `dtype` is theirs then. */
  readonly weights?: PackedWeights;
}

/** What a file can be made of: a whole scene, one field, or several at the origin. */
export type WritableScene = NsdfScene | FieldAsset | readonly FieldAsset[];

/**
 * Writes a `.nsdf` file. The same input gives the same bytes. In the BIN chunk come fallback meshes, all MLPs, then
 * the grid levels of all fields and attributes, coarse to fine, so that a prefix of the file is a usable coarse scene.
 * Stored hashes are not carried over: {@link writeNsdfHashed} makes new ones.
 * @throws {NsdfFormatError} if a field breaks a rule. @throws {NsdfArgumentError} if there is no field, a weight does
 * not fit `dtype`, a fallback has no triangle, or `weights` are those of another field. @throws {NsdfBudgetError} if there
 * are more fields than a file may have.
 * @example
 * const bytes = writeNsdf(importSafetensors(trained), { dtype: 'f16' });
 */
export function writeNsdf(input: WritableScene, options: WriteOptions = {}): Uint8Array {
  return new SceneWriter(sceneOf(input), options, new Map()).write();
}

/** As `writeNsdf`, with the SHA-256 of every field as it will be read back (see `contentHash`). */
export async function writeNsdfHashed(input: WritableScene, options: WriteOptions = {}): Promise<Uint8Array> {
  const scene = sceneOf(input);
  if (options.weights) return new SceneWriter(scene, options, new Map()).write();
  const { dtype = 'f32' } = options;
  const hashes = new Map<FieldAsset, string>();
  for (const { asset } of listMeshes(scene).flatMap(({ fields }) => fields)) {
    if (!hashes.has(asset)) hashes.set(asset, await contentHash(roundField(asset, dtype)));
  }
  return new SceneWriter(scene, options, hashes).write();
}

/** A scene of fields at the origin, one node each; a scene is given back as it is. */
export function sceneOf(
  input: WritableScene,
  parts: Partial<Omit<NsdfField, 'asset'>> & { readonly copyright?: string } = {},
): NsdfScene {
  if ('nodes' in input) return input;
  const assets = Array.isArray(input) ? (input as readonly FieldAsset[]) : [input as FieldAsset];
  const nodes = assets.map((asset): NsdfNode => {
    const { fallback = null, material = null } = parts;
    const field = { asset, fallback, material, sha256: null };
    return { ...IDENTITY_NODE, name: asset.name, mesh: { name: asset.name, fields: [field] } };
  });
  return { name: '', copyright: parts.copyright ?? null, generator: null, nodes };
}

/** All meshes with fields, each once, in the order of the graph. */
function listMeshes(scene: NsdfScene): NsdfMesh[] {
  const found = new Set<NsdfMesh>();
  const visit = (node: NsdfNode): void => {
    if (node.mesh?.fields.length) found.add(node.mesh);
    node.children.forEach(visit);
  };
  scene.nodes.forEach(visit);
  return [...found];
}

type Json = Record<string, unknown>;

/** A field's weights in the file, or beside it. */
interface PlacedWeights {
  readonly views: FieldViews;
  readonly sha256: string | null;
}

/** Writes one scene. */
class SceneWriter {
  readonly #scene: NsdfScene;
  readonly #dtype: WeightType;
  readonly #packed: PackedWeights | null;
  readonly #hashes: ReadonlyMap<FieldAsset, string>;
  readonly #meshes: readonly NsdfMesh[];
  readonly #bin = new BinWriter();
  readonly #materials: NsdfMaterial[] = [];
  readonly #nodes: Json[] = [];

  constructor(scene: NsdfScene, options: WriteOptions, hashes: ReadonlyMap<FieldAsset, string>) {
    this.#scene = scene;
    this.#packed = options.weights ?? null;
    this.#dtype = this.#packed?.dtype ?? options.dtype ?? 'f32';
    this.#hashes = hashes;
    this.#meshes = listMeshes(scene);
  }

  write(): Uint8Array {
    const fields = this.#meshes.flatMap((mesh) => mesh.fields);
    if (fields.length === 0)
      throw new NsdfArgumentError('scene', 'the scene has no field, expected at least one');
    checkBudget('nFields', fields.length, 'fields in one file', 'write several files');
    const attributes = this.#writeFallbacks(fields);
    const weights = this.#packed ? this.#referToWeights(fields, this.#packed) : this.#writeWeights(fields);
    const meshes = this.#meshes.map((mesh) => this.#meshJson(mesh, attributes, weights));
    const roots = this.#scene.nodes.map((node) => this.#addNode(node));
    return packGlb(this.#documentJson(fields, meshes, roots), this.#bin.bytes());
  }

  /** Attributes and indices of every field's primitive. */
  #writeFallbacks(fields: readonly NsdfField[]): Map<NsdfField, Json> {
    const shared = new Map<FallbackMesh, Json>();
    return new Map(
      fields.map((field) => {
        const { fallback, asset } = field;
        if (fallback === null) return [field, boundsAccessor(this.#bin, asset)];
        const json = shared.get(fallback) ?? fallbackAttributes(this.#bin, fallback);
        shared.set(fallback, json);
        return [field, json];
      }),
    );
  }

  /** MLPs first, then level 0 of all fields, level 1, and so on; partitions last. */
  #writeWeights(fields: readonly NsdfField[]): Map<FieldAsset, PlacedWeights> {
    const assets = [...new Set(fields.map(({ asset }) => asset))];
    const encoded = assets.map((asset) => encodeField(asset, this.#dtype));
    const views = placeNetworks(encoded, (bytes) => this.#bin.addView(bytes));
    return new Map(
      assets.map((asset, i) => {
        const partitions = encoded[i].partitions.map((bytes) => this.#bin.addView(bytes));
        const sha256 = this.#hashes.get(asset) ?? null;
        return [asset, { views: { ...views[i], partitions }, sha256 }];
      }),
    );
  }

  /** All fields share the weights that lie beside the file. */
  #referToWeights(fields: readonly NsdfField[], packed: PackedWeights): Map<FieldAsset, PlacedWeights> {
    for (const { asset } of fields) checkPacked(asset, packed);
    const { sha256 } = packed;
    const views = addPackedViews(this.#bin, packed);
    return new Map(fields.map(({ asset }) => [asset, { views, sha256 }]));
  }

  #meshJson(
    mesh: NsdfMesh,
    attributes: ReadonlyMap<NsdfField, Json>,
    weights: ReadonlyMap<FieldAsset, PlacedWeights>,
  ): Json {
    const primitives = mesh.fields.map((field) => {
      const { asset, material } = field;
      const { views, sha256 } = weights.get(asset)!;
      const named = { dtype: this.#dtype, views, meshName: mesh.name, sha256 };
      const extension = fieldJson(asset, named);
      return {
        ...attributes.get(field),
        ...(material === null ? {} : { material: this.#materialIndex(material) }),
        extensions: { [EXTENSION_NAME]: extension },
      };
    });
    return { ...named(mesh.name), primitives };
  }

  #materialIndex(material: NsdfMaterial): number {
    const known = this.#materials.indexOf(material);
    return known >= 0 ? known : this.#materials.push(material) - 1;
  }

  /** Adds a node before its children and gives its index. */
  #addNode(node: NsdfNode): number {
    const mesh = node.mesh === null ? -1 : this.#meshes.indexOf(node.mesh);
    const json: Json = {
      ...named(node.name),
      ...(node.matrix === null ? {} : { matrix: [...node.matrix] }),
      ...differing(node, IDENTITY_NODE, ['translation', 'rotation', 'scale']),
      ...(mesh < 0 ? {} : { mesh }),
    };
    const index = this.#nodes.push(json) - 1;
    const children = node.children.map((child) => this.#addNode(child));
    if (children.length > 0) json.children = children;
    return index;
  }

  #documentJson(fields: readonly NsdfField[], meshes: readonly Json[], roots: readonly number[]): Json {
    const { name, copyright, generator } = this.#scene;
    const isRequired = fields.some(({ fallback }) => fallback === null);
    return {
      asset: {
        version: '2.0',
        generator: generator ?? 'nsdf-loader',
        ...(copyright === null ? {} : { copyright }),
      },
      extensionsUsed: [EXTENSION_NAME],
      ...(isRequired ? { extensionsRequired: [EXTENSION_NAME] } : {}),
      scene: 0,
      scenes: [{ ...named(name), nodes: roots }],
      nodes: this.#nodes,
      meshes,
      ...(this.#materials.length === 0 ? {} : { materials: this.#materials.map(materialJson) }),
      ...this.#bin.json(),
    };
  }
}

function named(name: string): Json {
  return name === '' ? {} : { name };
}

/** The properties that differ from a default, in the order given. */
function differing<T extends object>(value: T, defaults: T, keys: readonly (keyof T & string)[]): Json {
  const isDifferent = (key: keyof T): boolean => JSON.stringify(value[key]) !== JSON.stringify(defaults[key]);
  return Object.fromEntries(keys.filter(isDifferent).map((key) => [key, value[key]]));
}

export function materialJson(material: NsdfMaterial): Json {
  const pbr = differing(material, DEFAULT_MATERIAL, ['baseColorFactor', 'metallicFactor', 'roughnessFactor']);
  return {
    ...named(material.name),
    ...(Object.keys(pbr).length === 0 ? {} : { pbrMetallicRoughness: pbr }),
    ...differing(material, DEFAULT_MATERIAL, ['emissiveFactor', 'alphaMode', 'doubleSided']),
    ...(material.alphaMode === 'MASK' ? { alphaCutoff: material.alphaCutoff } : {}),
  };
}
