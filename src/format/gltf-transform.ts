import {
  type Accessor,
  type Buffer,
  Extension,
  ExtensionProperty,
  type Mesh,
  type Primitive,
  PropertyType,
  type ReaderContext,
  type WriterContext,
} from '@gltf-transform/core';
import type { FieldAsset } from './asset.ts';
import { decodeNeuralField } from './decode-neural-field.ts';
import {
  type EncodedField,
  type EncodedNetwork,
  encodeField,
  fieldJson,
  mapAttributes,
  type NetworkViews,
  placeNetworks,
} from './encode-field.ts';
import { EXTENSION_NAME, type NeuralFieldJson, type WeightType } from './extension.ts';
import { shownBox } from './local-origin.ts';
import { boundsOf } from './write-bin.ts';

/** Keeps glTF-Transform from copying a field, which is immutable, as JSON. */
class FieldHolder {
  // glTF-Transform's types ask for it.
  readonly [key: string]: unknown;
  readonly asset: FieldAsset;
  readonly dtype: WeightType;
  readonly sha256: string | null;

  constructor(asset: FieldAsset, dtype: WeightType, sha256: string | null) {
    this.asset = asset;
    this.dtype = dtype;
    this.sha256 = sha256;
  }
}

interface INeuralField {
  name: string;
  extras: Record<string, unknown>;
  holder: FieldHolder | null;
}

/** The field of a glTF-Transform Primitive. */
export class NeuralField extends ExtensionProperty<INeuralField> {
  static override EXTENSION_NAME = EXTENSION_NAME;
  declare extensionName: string;
  declare propertyType: string;
  declare parentTypes: string[];

  protected override init(): void {
    this.extensionName = EXTENSION_NAME;
    this.propertyType = 'NeuralField';
    this.parentTypes = [PropertyType.PRIMITIVE];
  }

  protected override getDefaults() {
    return Object.assign(super.getDefaults(), { holder: null });
  }

  /** The field, or null where none was set. */
  getField(): FieldAsset | null {
    return this.get('holder')?.asset ?? null;
  }

  /** Sets the field and how its weights are written; a SHA-256 that was read with another field is dropped. */
  setField(asset: FieldAsset, dtype: WeightType = 'f32', sha256: string | null = null): this {
    return this.set('holder', new FieldHolder(asset, dtype, sha256));
  }

  /** How the weights are written. */
  getWeightType(): WeightType {
    return this.get('holder')?.dtype ?? 'f32';
  }

  /** The SHA-256 that the file states, or null. */
  getSha256(): string | null {
    return this.get('holder')?.sha256 ?? null;
  }
}

/** A primitive that carries a field, while a document is written. */
interface Carrier {
  readonly mesh: Mesh;
  readonly primitiveIndex: number;
  readonly primitive: Primitive;
  readonly field: NeuralField;
  readonly asset: FieldAsset;
}

/**
 * `NSDF_neural_field` for glTF-Transform: documents that hold fields come out of its pipelines with them.
 * A primitive without a real POSITION gets the bounds accessor of docs/format.md, and the extension is then required.
 * @example
 * const io = new NodeIO().registerExtensions([NeuralFieldExtension]);
 * const document = await io.read('bunny.nsdf');
 * await document.transform(prune());
 * await io.write('smaller.glb', document);
 */
export class NeuralFieldExtension extends Extension {
  static override readonly EXTENSION_NAME = EXTENSION_NAME;
  override readonly extensionName = EXTENSION_NAME;
  override readonly prewriteTypes = [PropertyType.ACCESSOR];
  /** What the document being written holds: bytes by field and weight type. */
  private _encoded = new Map<FieldAsset, Map<WeightType, EncodedField>>();
  private _hasBounds = false;

  /** Makes a property to be set on a Primitive with `setExtension(NeuralFieldExtension.EXTENSION_NAME, …)`. */
  createNeuralField(asset: FieldAsset, dtype: WeightType = 'f32'): NeuralField {
    return new NeuralField(this.document.getGraph(), asset.name).setField(asset, dtype);
  }

  /** @throws {NsdfFormatError} if a field in the file is damaged. */
  override read(context: ReaderContext): this {
    context.jsonDoc.json.meshes?.forEach((meshDef, meshIndex) => {
      meshDef.primitives.forEach(({ extensions }, index) => {
        const json = extensions?.[EXTENSION_NAME] as NeuralFieldJson | undefined;
        if (json === undefined) return;
        const path = `/meshes/${meshIndex}/primitives/${index}/extensions/${EXTENSION_NAME}`;
        const named = { name: meshDef.name ?? '', path };
        const asset = decodeNeuralField(json, (view) => context.bufferViews[view] ?? null, named);
        const field = new NeuralField(this.document.getGraph(), asset.name);
        field.setField(asset, json.dtype, json.sha256 ?? null);
        context.meshes[meshIndex].listPrimitives()[index].setExtension(EXTENSION_NAME, field);
      });
    });
    return this;
  }

  /** Adds the bytes of all fields, MLPs first, and the accessors that carry bounds alone. */
  override prewrite(context: WriterContext, _propertyType: PropertyType): this {
    const carriers = this._listCarriers();
    this._encoded = new Map();
    this._hasBounds = false;
    for (const carrier of carriers) {
      if (!hasFallback(carrier.primitive)) this._writeBounds(context, carrier);
    }
    this._addBytes(context, carriers);
    return this;
  }

  override write(context: WriterContext): this {
    const { json } = context.jsonDoc;
    for (const { mesh, primitiveIndex, field, asset } of this._listCarriers()) {
      const encoded = this._encode(field, asset);
      const viewOf = (bytes: Uint8Array): number => context.otherBufferViewsIndexMap.get(bytes)!;
      const viewsOf = ({ mlp, mlpLayers, levels }: EncodedNetwork): NetworkViews => ({
        mlp: viewOf(mlp),
        mlpLayers,
        levels: levels.map(viewOf),
      });
      const extension = fieldJson(asset, {
        dtype: field.getWeightType(),
        views: {
          ...viewsOf(encoded),
          attributes: mapAttributes(encoded, viewsOf),
          partitions: encoded.partitions.map(viewOf),
        },
        meshName: mesh.getName(),
        sha256: field.getSha256(),
      });
      const primitiveDef = json.meshes![context.meshIndexMap.get(mesh)!].primitives[primitiveIndex];
      primitiveDef.extensions = { ...primitiveDef.extensions, [EXTENSION_NAME]: extension };
    }
    if (this._hasBounds) {
      json.extensionsRequired = [...new Set([...(json.extensionsRequired ?? []), EXTENSION_NAME])];
    }
    return this;
  }

  private _listCarriers(): Carrier[] {
    return this.document
      .getRoot()
      .listMeshes()
      .flatMap((mesh) =>
        mesh.listPrimitives().flatMap((primitive, primitiveIndex) => {
          const field = primitive.getExtension<NeuralField>(EXTENSION_NAME);
          const asset = field?.getField() ?? null;
          return field && asset ? [{ mesh, primitive, primitiveIndex, field, asset }] : [];
        }),
      );
  }

  private _encode(field: NeuralField, asset: FieldAsset): EncodedField {
    const dtype = field.getWeightType();
    const byType = this._encoded.get(asset) ?? new Map<WeightType, EncodedField>();
    const encoded = byType.get(dtype) ?? ownBytes(encodeField(asset, dtype));
    this._encoded.set(asset, byType.set(dtype, encoded));
    return encoded;
  }

  /** Registers bytes in the order of the format: MLPs, then levels coarse to fine. */
  private _addBytes(context: WriterContext, carriers: readonly Carrier[]): void {
    if (carriers.length === 0) return;
    const encoded = [...new Set(carriers.map(({ field, asset }) => this._encode(field, asset)))];
    const buffer = this._buffer();
    const views = [...(context.otherBufferViews.get(buffer) ?? [])];
    placeNetworks(encoded, (bytes) => views.push(bytes));
    context.otherBufferViews.set(buffer, [...views, ...encoded.flatMap(({ partitions }) => partitions)]);
  }

  /** glTF-Transform writes no accessor without bytes, so this one is ours. Shared ones get the bounds of all. */
  private _writeBounds(context: WriterContext, { primitive, asset }: Carrier): void {
    const accessor = primitive.getAttribute('POSITION') ?? this._createPosition(primitive);
    const json = context.jsonDoc.json;
    const accessors = (json.accessors ??= []);
    const { min, max } = shownBox(asset);
    const known = context.accessorIndexMap.get(accessor);
    this._hasBounds = true;
    if (known !== undefined) {
      const { min: knownMin = [], max: knownMax = [] } = accessors[known];
      const bounds = boundsOf(Float32Array.from([...min, ...max, ...knownMin, ...knownMax]));
      accessors[known] = { ...accessors[known], ...bounds };
      return;
    }
    const bounds = boundsOf(Float32Array.from([...min, ...max]));
    context.accessorIndexMap.set(accessor, accessors.length);
    accessors.push({ componentType: 5126, count: 3, type: 'VEC3', ...bounds });
  }

  private _buffer(): Buffer {
    return this.document.getRoot().listBuffers()[0] ?? this.document.createBuffer();
  }

  private _createPosition(primitive: Primitive): Accessor {
    const accessor = this.document
      .createAccessor('', this._buffer())
      .setType('VEC3')
      .setArray(new Float32Array(9));
    primitive.setAttribute('POSITION', accessor);
    return accessor;
  }
}

/** Padded to 4 bytes, so that the bufferViews after them are aligned, and distinct, so that they can be found again. */
function ownBytes(field: EncodedField): EncodedField {
  const own = (bytes: Uint8Array): Uint8Array => {
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    return padded;
  };
  const ownNetwork = ({ mlp, mlpLayers, levels }: EncodedNetwork): EncodedNetwork => ({
    mlp: own(mlp),
    mlpLayers,
    levels: levels.map(own),
  });
  return {
    ...ownNetwork(field),
    attributes: mapAttributes(field, ownNetwork),
    partitions: field.partitions.map(own),
  };
}

/** A POSITION of nothing but zeros, or without array, is the placeholder that only carries bounds. */
function hasFallback(primitive: Primitive): boolean {
  return (
    primitive
      .getAttribute('POSITION')
      ?.getArray()
      ?.some((value: number) => value !== 0) ?? false
  );
}
