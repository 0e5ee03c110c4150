import type { JsonObject } from '../../format/json-object.ts';
import { decodeMeshoptView, type GltfCodecs, MESHOPT_EXTENSIONS } from './gltf-codecs.ts';

/** Component types by glTF's number: how to read one, its size, and the largest value of a normalised one. */
const COMPONENTS = new Map<number, { get: keyof DataView; bytes: number; most: number }>([
  [5120, { get: 'getInt8', bytes: 1, most: 127 }],
  [5121, { get: 'getUint8', bytes: 1, most: 255 }],
  [5122, { get: 'getInt16', bytes: 2, most: 32767 }],
  [5123, { get: 'getUint16', bytes: 2, most: 65535 }],
  [5125, { get: 'getUint32', bytes: 4, most: 1 }],
  [5126, { get: 'getFloat32', bytes: 4, most: 1 }],
]);
const WIDTHS: Readonly<Record<string, number>> = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT4: 16 };

/** Numbers that one file may unfold to: accessors may overlap, and views be compressed, so its bytes set no bound. */
const MAX_NUMBERS = 2 ** 27;

/** A bufferView's bytes and the stride of its elements. */
interface View {
  readonly bytes: Uint8Array;
  readonly byteStride: number | null;
}

/**
 * Accessors of a glTF as numbers: of every component type, normalised or not, sparse, interleaved, in views that meshopt
 * has compressed. Errors are thrown where they are found.
 */
export class GltfAccessors {
  readonly #root: JsonObject;
  readonly #accessors: readonly (JsonObject | null)[];
  readonly #viewJson: readonly (JsonObject | null)[];
  readonly #buffers: readonly (Uint8Array | null)[];
  readonly #codecs: GltfCodecs;
  readonly #views = new Map<number, View>();
  readonly #known = new Map<number, Float64Array>();
  #nNumbersLeft = MAX_NUMBERS;

  /** @param buffers by number; null for those that are not here. */
  constructor(root: JsonObject, buffers: readonly (Uint8Array | null)[], codecs: GltfCodecs) {
    this.#root = root;
    this.#accessors = root.optionalObjects('accessors');
    this.#viewJson = root.optionalObjects('bufferViews');
    this.#buffers = buffers;
    this.#codecs = codecs;
  }

  /**
   * The numbers of the accessor that a property names.
   * @param types those that are right there, such as `VEC3`.
   * @returns f64[count * width]; do not change it, it may be given again.
   * @throws {NsdfFormatError | NsdfUnsupportedError} if there is none, or it is of another type, or points outside its buffer.
   */
  read(owner: JsonObject, key: string, ...types: string[]): Float64Array {
    const index = this.#must(owner.index(key));
    const json = this.#accessors[index];
    if (!json) return this.#fail('reference', `there is no accessor ${index}`, owner, key);
    const type = this.#must(json.text('type'));
    if (!types.includes(type)) {
      return this.#fail(
        'property-range',
        `${key} is a ${type.slice(0, 20)}, expected ${types.join(' or ')}`,
        json,
      );
    }
    const known = this.#known.get(index) ?? this.#decode(json, WIDTHS[type]);
    this.#known.set(index, known);
    return known;
  }

  /** Bytes of a bufferView, decompressed. */
  view(owner: JsonObject, key: string): Uint8Array {
    return this.#view(this.#must(owner.index(key)), owner, key).bytes;
  }

  #decode(json: JsonObject, width: number): Float64Array {
    const count = this.#must(json.index('count'));
    this.#nNumbersLeft -= count * width;
    if (!(this.#nNumbersLeft >= 0)) {
      const message = `${count} elements, together more than ${MAX_NUMBERS} numbers in this file`;
      return this.#fail('length', message, json, 'count');
    }
    const isNormalized = json.flag('normalized', false) === true;
    const values = new Float64Array(count * width);
    if (json.has('bufferView')) {
      this.#unpack(json, json, { count, width, out: values, isNormalized });
    }
    const sparse = json.optionalObject('sparse');
    if (sparse !== null) this.#replace(json, sparse, { width, values, isNormalized });
    return values;
  }

  /** Sparse accessors: some elements are given anew. */
  #replace(
    json: JsonObject,
    sparse: JsonObject,
    { width, values, isNormalized }: { width: number; values: Float64Array; isNormalized: boolean },
  ): void {
    const count = this.#must(sparse.index('count'));
    if (count > values.length / width) {
      this.#fail('length', `${count} sparse values for ${values.length / width} elements`, sparse, 'count');
    }
    const where = new Float64Array(count);
    const what = new Float64Array(count * width);
    const places = this.#must(sparse.object('indices'));
    this.#unpack(places, places, { count, width: 1, out: where, isNormalized: false });
    this.#unpack(this.#must(sparse.object('values')), json, { count, width, out: what, isNormalized });
    for (let i = 0; i < count; i++) {
      const at = where[i] * width;
      if (at >= values.length) this.#fail('reference', `there is no element ${where[i]}`, places);
      for (let k = 0; k < width; k++) values[at + k] = what[i * width + k];
    }
  }

  /** @param typed the object that has the component type. */
  #unpack(
    json: JsonObject,
    typed: JsonObject,
    {
      count,
      width,
      out,
      isNormalized,
    }: { count: number; width: number; out: Float64Array; isNormalized: boolean },
  ): void {
    const componentType = this.#must(typed.integer('componentType'));
    const component = COMPONENTS.get(componentType);
    if (component === undefined) {
      this.#fail('property-range', `there is no component type ${componentType}`, typed, 'componentType');
      return;
    }
    const { bytes, byteStride } = this.#view(this.#must(json.index('bufferView')), json, 'bufferView');
    const byteOffset = json.has('byteOffset') ? this.#must(json.index('byteOffset')) : 0;
    const elementBytes = width * component.bytes;
    const stride = byteStride ?? elementBytes;
    const end = byteOffset + (count - 1) * stride + elementBytes;
    if (count > 0 && !(end <= bytes.length)) {
      this.#fail('length', `${count} elements need ${end} bytes of a bufferView of ${bytes.length}`, json);
    }
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const get = (data[component.get] as (at: number, isLittleEndian: boolean) => number).bind(data);
    for (let i = 0, o = 0; i < count; i++) {
      for (let k = 0; k < width; k++, o++) {
        const value = get(byteOffset + i * stride + k * component.bytes, true);
        out[o] = isNormalized ? Math.max(-1, value / component.most) : value;
      }
    }
  }

  #view(index: number, owner: JsonObject, key: string): View {
    const known = this.#views.get(index);
    if (known !== undefined) return known;
    const json = this.#viewJson[index];
    if (!json) return this.#fail('reference', `there is no bufferView ${index}`, owner, key);
    const view = this.#meshoptView(json) ?? {
      bytes: this.#slice(json),
      byteStride: json.has('byteStride') ? this.#must(json.index('byteStride')) : null,
    };
    this.#views.set(index, view);
    return view;
  }

  #meshoptView(json: JsonObject): View | null {
    const extensions = json.optionalObject('extensions');
    const name = MESHOPT_EXTENSIONS.find((each) => extensions?.has(each));
    if (name === undefined || this.#codecs.meshopt === null) return null;
    const packed = this.#must(extensions?.object(name) ?? null);
    const count = this.#must(packed.index('count'));
    const byteStride = this.#must(packed.index('byteStride'));
    if (count * byteStride > MAX_NUMBERS) {
      this.#fail('length', `${count} elements of ${byteStride} bytes: too many`, packed, 'count');
    }
    const bytes = decodeMeshoptView(this.#codecs.meshopt, packed, this.#slice(packed), { count, byteStride });
    return { bytes, byteStride };
  }

  /** The bytes of a buffer that an object with `buffer`, `byteOffset` and `byteLength` names. */
  #slice(json: JsonObject): Uint8Array {
    const index = this.#must(json.index('buffer'));
    const byteLength = this.#must(json.index('byteLength'));
    const byteOffset = json.has('byteOffset') ? this.#must(json.index('byteOffset')) : 0;
    const buffer = this.#buffers[index];
    if (!buffer) return this.#fail('reference', `buffer ${index} has no bytes here`, json, 'buffer');
    if (byteOffset + byteLength <= buffer.length) return buffer.subarray(byteOffset, byteOffset + byteLength);
    const found = `bytes ${byteOffset}..${byteOffset + byteLength} of a buffer of ${buffer.length}`;
    return this.#fail('length', found, json);
  }

  #must<T>(value: T | null): T {
    this.#root.issues.throwFirstError();
    return value as T;
  }

  #fail(
    code: Parameters<JsonObject['issues']['error']>[0],
    message: string,
    json: JsonObject,
    key?: string,
  ): never {
    json.issues.error(code, message, key === undefined ? { path: json.path } : json.place(key));
    json.issues.throwFirstError();
    throw new Error(message); // an error was noted: not reached
  }
}
