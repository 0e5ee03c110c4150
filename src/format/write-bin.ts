import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset } from './asset.ts';
import { align4 } from './glb.ts';
import { shownBox } from './local-origin.ts';
import type { FallbackMesh } from './scene.ts';

const FLOAT = 5126;
const UNSIGNED_SHORT = 5123;
const UNSIGNED_INT = 5125;
const ARRAY_BUFFER = 34962;
/** Of 1, 2, 3 and 4 components. */
const TYPES = ['SCALAR', 'VEC2', 'VEC3', 'VEC4'];
const ELEMENT_ARRAY_BUFFER = 34963;

type Json = Record<string, unknown>;

/** A buffer beside the file. */
export interface ExternalBuffer {
  readonly uri: string;
  readonly byteLength: number;
}

/** A bufferView before the buffers are numbered. */
interface View {
  readonly external: ExternalBuffer | null;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly target?: number;
}

/** Collects bytes, bufferViews and accessors of a file. */
export class BinWriter {
  readonly #parts: Uint8Array[] = [];
  readonly #views: View[] = [];
  readonly #accessors: Json[] = [];
  #byteLength = 0;

  /** Appends bytes, each bufferView at a multiple of 4, and gives the bufferView's index. */
  addView(bytes: Uint8Array, target?: number): number {
    const byteOffset = align4(this.#byteLength);
    this.#parts.push(new Uint8Array(byteOffset - this.#byteLength), bytes);
    this.#byteLength = byteOffset + bytes.length;
    const byteLength = bytes.length;
    const view = { external: null, byteOffset, byteLength, ...(target === undefined ? {} : { target }) };
    return this.#views.push(view) - 1;
  }

  /** Adds a bufferView of bytes beside the file and gives its index. */
  addExternalView(external: ExternalBuffer, byteOffset: number, byteLength: number): number {
    return this.#views.push({ external, byteOffset, byteLength }) - 1;
  }

  addAccessor(accessor: Json): number {
    return this.#accessors.push(accessor) - 1;
  }

  /** Where in its buffer each bufferView lies. */
  ranges(): { byteOffset: number; byteLength: number }[] {
    return this.#views.map(({ byteOffset, byteLength }) => ({ byteOffset, byteLength }));
  }

  bytes(): Uint8Array {
    const out = new Uint8Array(this.#byteLength);
    let offset = 0;
    for (const part of this.#parts) {
      out.set(part, offset);
      offset += part.length;
    }
    return out;
  }

  json(): Json {
    const others = [...new Set(this.#views.flatMap(({ external }) => external ?? []))];
    // The BIN chunk is buffer 0, where there is one.
    const own = this.#byteLength > 0 || others.length === 0 ? [{ byteLength: this.#byteLength }] : [];
    const bufferViews = this.#views.map(({ external, ...view }) => ({
      buffer: external === null ? 0 : own.length + others.indexOf(external),
      ...view,
    }));
    return { accessors: this.#accessors, bufferViews, buffers: [...own, ...others] };
  }
}

/**
 * The POSITION of a field without fallback: three vertices without bytes, which glTF reads as zeros (one degenerate
 * triangle), whose min and max are the domain, or its part in the region, so that bounds are known before the surface is.
 */
export function boundsAccessor(bin: BinWriter, asset: FieldAsset): Json {
  const { min, max } = shownBox(asset);
  const bounds = { min: min.map(Math.fround), max: max.map(Math.fround) };
  const POSITION = bin.addAccessor({ componentType: FLOAT, count: 3, type: 'VEC3', ...bounds });
  return { attributes: { POSITION } };
}

/**
 * Attributes and indices of a fallback mesh.
 * @param others f32[nVertices * width] each, by their names.
 * @throws {NsdfArgumentError} if it has no triangle or an index out of range.
 */
export function fallbackAttributes(
  bin: BinWriter,
  mesh: FallbackMesh,
  others: Readonly<Record<string, Float32Array>> = {},
): Json {
  const nVertices = checkFallback(mesh);
  const add = (values: Float32Array, bounds: object): number => {
    const bufferView = bin.addView(bytesOf(values), ARRAY_BUFFER);
    const type = TYPES[values.length / nVertices - 1];
    return bin.addAccessor({ bufferView, componentType: FLOAT, count: nVertices, type, ...bounds });
  };
  const POSITION = add(mesh.positions, boundsOf(mesh.positions));
  const NORMAL = mesh.normals === null ? null : add(mesh.normals, {});
  const named = Object.entries(others).map(([name, values]) => [name, add(values, {})]);
  // 65535 is glTF's primitive restart value and never an index of unsigned shorts.
  const isShort = nVertices <= 65535;
  const indices = isShort ? Uint16Array.from(mesh.indices) : mesh.indices;
  const bufferView = bin.addView(bytesOf(indices), ELEMENT_ARRAY_BUFFER);
  const componentType = isShort ? UNSIGNED_SHORT : UNSIGNED_INT;
  return {
    attributes: { POSITION, ...(NORMAL === null ? {} : { NORMAL }), ...Object.fromEntries(named) },
    indices: bin.addAccessor({ bufferView, componentType, count: indices.length, type: 'SCALAR' }),
  };
}

function checkFallback({ positions, normals, indices }: FallbackMesh): number {
  const nVertices = positions.length / 3;
  const isRight =
    Number.isInteger(nVertices) &&
    indices.length >= 3 &&
    indices.length % 3 === 0 &&
    indices.every((index) => index < nVertices) &&
    positions.every(Number.isFinite) &&
    (normals === null || normals.length === positions.length);
  if (isRight) return nVertices;
  const found = `${nVertices} vertices, ${indices.length} indices`;
  throw new NsdfArgumentError(
    'fallback',
    `the fallback (${found}) is no indexed triangle mesh of finite vertices`,
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Minimum and maximum of xyz triples. */
export function boundsOf(positions: ArrayLike<number>): { min: number[]; max: number[] } {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < positions.length; i++) {
    min[i % 3] = Math.min(min[i % 3], positions[i]);
    max[i % 3] = Math.max(max[i % 3], positions[i]);
  }
  return { min, max };
}
