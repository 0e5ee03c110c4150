import { alignedBytes } from './bytes.ts';
import type { BufferView } from './gltf-buffers.ts';
import type { JsonObject } from './json-object.ts';
import type { FallbackMesh } from './scene.ts';

const FLOAT = 5126;
const INDEX_BYTES: Readonly<Record<number, number>> = { 5121: 1, 5123: 2, 5125: 4 };
const TRIANGLES = 4;

/** An accessor's raw values, tightly packed. */
interface AccessorBytes {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly componentType: number;
}

/** Reads fallback meshes of primitives; accessors used twice are decoded once. */
export class FallbackReader {
  readonly #accessors: readonly (JsonObject | null)[];
  readonly #views: readonly (BufferView | null)[];
  readonly #meshes = new Map<string, FallbackMesh | null>();
  #nBytesLeft: number;

  /** @param maxBytes all accessors together may be no longer: overlapping ones must not multiply a file. */
  constructor(
    accessors: readonly (JsonObject | null)[],
    views: readonly (BufferView | null)[],
    maxBytes: number,
  ) {
    this.#accessors = accessors;
    this.#views = views;
    this.#nBytesLeft = maxBytes;
  }

  /**
   * The mesh in POSITION, NORMAL and indices; null where there is none (no indices, or a POSITION without bytes that
   * only carries the bounds) or where it is of a kind that we don't decode, which is a warning.
   */
  read(primitive: JsonObject): FallbackMesh | null {
    const attributes = primitive.object('attributes');
    const position = attributes?.index('POSITION') ?? null;
    if (attributes === null || position === null) return null;
    const normal = attributes.has('NORMAL') ? attributes.index('NORMAL') : null;
    const indices = primitive.has('indices') ? primitive.index('indices') : null;
    const mode = primitive.integer('mode', TRIANGLES);
    if (!this.#hasBytes(attributes, 'POSITION', position)) return null;
    if (mode !== TRIANGLES || indices === null) {
      const message = 'the fallback is no indexed triangle mesh, ignored';
      primitive.issues.note('warning', 'unsupported', message, { path: primitive.path });
      return null;
    }
    const key = `${position}/${normal}/${indices}`;
    const known = this.#meshes.get(key);
    if (known !== undefined) return known;
    const mesh = this.#decode(primitive, attributes, { position, normal, indices });
    this.#meshes.set(key, mesh);
    return mesh;
  }

  #hasBytes(attributes: JsonObject, key: string, index: number): boolean {
    if (index >= this.#accessors.length) {
      attributes.issues.error('reference', `there is no accessor ${index}`, attributes.place(key));
      return false;
    }
    const accessor = this.#accessors[index];
    return accessor !== null && (accessor.has('bufferView') || accessor.has('sparse'));
  }

  #decode(
    primitive: JsonObject,
    attributes: JsonObject,
    accessors: { position: number; normal: number | null; indices: number },
  ): FallbackMesh | null {
    const positions = this.#floats(attributes, 'POSITION', accessors.position);
    const normals = accessors.normal === null ? null : this.#floats(attributes, 'NORMAL', accessors.normal);
    const indices = this.#indices(primitive, accessors.indices);
    if (positions === null || indices === null || (accessors.normal !== null && normals === null))
      return null;
    const nVertices = positions.length / 3;
    const isRight =
      (normals === null || normals.length === positions.length) &&
      indices.length % 3 === 0 &&
      indices.every((index) => index < nVertices);
    if (isRight) return { positions, normals, indices };
    const message = `the fallback's indices or normals don't fit its ${nVertices} vertices`;
    primitive.issues.error('reference', message, { path: primitive.path });
    return null;
  }

  #floats(owner: JsonObject, key: string, index: number): Float32Array | null {
    const found = this.#bytes(owner, key, index, 'VEC3');
    if (found === null) return null;
    if (found.componentType !== FLOAT) return this.#warnType(owner, key, found.componentType);
    const { buffer, byteOffset, byteLength } = alignedBytes(found.bytes);
    const values = new Float32Array(buffer, byteOffset, byteLength / 4);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) return values;
    owner.issues.error(
      'weights',
      `the fallback holds ${values[bad]}, expected finite numbers`,
      owner.place(key),
    );
    return null;
  }

  #indices(primitive: JsonObject, index: number): Uint32Array | null {
    if (!this.#hasBytes(primitive, 'indices', index)) return null;
    const found = this.#bytes(primitive, 'indices', index, 'SCALAR');
    if (found === null) return null;
    const { bytes, componentType } = found;
    if (!(componentType in INDEX_BYTES)) return this.#warnType(primitive, 'indices', componentType);
    if (componentType === 5121) return Uint32Array.from(bytes);
    const { buffer, byteOffset, byteLength } = alignedBytes(bytes);
    if (componentType === 5123) return Uint32Array.from(new Uint16Array(buffer, byteOffset, byteLength / 2));
    return new Uint32Array(buffer, byteOffset, byteLength / 4);
  }

  #warnType(owner: JsonObject, key: string, componentType: number): null {
    const message = `componentType ${componentType} of the fallback, ignored`;
    owner.issues.note('warning', 'unsupported', message, owner.place(key));
    return null;
  }

  /** Tightly packed bytes of an accessor, or null and an issue. */
  #bytes(owner: JsonObject, key: string, index: number, type: 'VEC3' | 'SCALAR'): AccessorBytes | null {
    if (index >= this.#accessors.length) {
      owner.issues.error('reference', `there is no accessor ${index}`, owner.place(key));
      return null;
    }
    const json = this.#accessors[index];
    const count = json?.index('count') ?? null;
    const componentType = json?.integer('componentType') ?? null;
    const byteOffset = json?.has('byteOffset') ? json.index('byteOffset') : 0;
    if (!json || count === null || componentType === null || byteOffset === null) return null;
    if (json.value.type !== type || json.has('sparse') || !json.has('bufferView')) {
      json.issues.note('warning', 'unsupported', `expected a plain ${type} accessor, ignored`, {
        path: json.path,
      });
      return null;
    }
    const bufferView = json.index('bufferView');
    const view = bufferView === null ? null : (this.#views[bufferView] ?? null);
    if (view === null) {
      json.issues.error('reference', 'its bufferView has no bytes in this file', json.place('bufferView'));
      return null;
    }
    const elementBytes =
      (type === 'VEC3' ? 3 : 1) * (componentType === FLOAT ? 4 : (INDEX_BYTES[componentType] ?? 4));
    return this.#pack(json, view, { count, componentType, byteOffset, elementBytes });
  }

  #pack(
    json: JsonObject,
    view: BufferView,
    layout: { count: number; componentType: number; byteOffset: number; elementBytes: number },
  ): AccessorBytes | null {
    const { count, componentType, byteOffset, elementBytes } = layout;
    const stride = Math.max(view.byteStride ?? elementBytes, elementBytes);
    const end = count === 0 ? byteOffset : byteOffset + (count - 1) * stride + elementBytes;
    this.#nBytesLeft -= count * elementBytes;
    if (!(end <= view.bytes.length) || this.#nBytesLeft < 0) {
      const message = `${count} elements need ${end} bytes of a bufferView of ${view.bytes.length}`;
      json.issues.error('length', message, { path: json.path, byteOffset: view.fileByteOffset });
      return null;
    }
    if (stride === elementBytes) return { bytes: view.bytes.subarray(byteOffset, end), count, componentType };
    const bytes = new Uint8Array(count * elementBytes);
    for (let i = 0; i < count; i++) {
      const begin = byteOffset + i * stride;
      bytes.set(view.bytes.subarray(begin, begin + elementBytes), i * elementBytes);
    }
    return { bytes, count, componentType };
  }
}
