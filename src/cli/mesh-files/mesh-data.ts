import { NsdfFormatError } from '../../errors.ts';

/** A triangle mesh as files carry it. */
export interface MeshData {
  /** f32[nVertices * 3] */
  readonly positions: Float32Array;
  /** f32[nVertices * 3], or null where the file has none. */
  readonly normals: Float32Array | null;
  /** u32[nTriangles * 3] */
  readonly indices: Uint32Array;
}

/** One file format, both ways. */
export interface MeshFormat {
  write(mesh: MeshData): Uint8Array;
  /** @throws {NsdfFormatError} if the bytes are not of this format, are cut off or point outside themselves. */
  read(bytes: Uint8Array): MeshData;
}

/** Collects vertices and polygons, of which there may be any number, to a {@link MeshData}. */
export class MeshBuilder {
  readonly #positions: number[] = [];
  readonly #indices: number[] = [];

  get nVertices(): number {
    return this.#positions.length / 3;
  }

  addVertex(x: number, y: number, z: number): number {
    return this.#positions.push(x, y, z) / 3 - 1;
  }

  /**
   * Adds a polygon as a fan around its first corner.
   * @throws {NsdfFormatError} if a corner is no vertex added so far, or there are fewer than three.
   */
  addPolygon(corners: readonly number[], place: { byteOffset?: number; field?: string } = {}): void {
    if (corners.length < 3) throw new NsdfFormatError(`a face with ${corners.length} corners`, place);
    const wrong = corners.find((v) => !(Number.isInteger(v) && v >= 0 && v < this.nVertices));
    if (wrong !== undefined) {
      throw new NsdfFormatError(`a face with vertex ${wrong}, but there are ${this.nVertices}`, place);
    }
    for (let i = 2; i < corners.length; i++) this.#indices.push(corners[0], corners[i - 1], corners[i]);
  }

  mesh(): MeshData {
    return {
      positions: Float32Array.from(this.#positions),
      normals: null,
      indices: Uint32Array.from(this.#indices),
    };
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
