import { NsdfFormatError } from '../../errors.ts';
import type { Box3, Vec3 } from '../../format/asset.ts';
import { originOf } from '../../format/local-origin.ts';
import { boundsOf } from '../../format/write-bin.ts';
import type { SurfaceColors } from '../../train/index.ts';
import type { DerivedScene } from './derived-scene.ts';

/** A triangle mesh as files carry it. */
export interface MeshData {
  /** f32[nVertices * 3] */
  readonly positions: Float32Array;
  /** f32[nVertices * 3], or null where the file has none. */
  readonly normals: Float32Array | null;
  /** u32[nTriangles * 3] */
  readonly indices: Uint32Array;
  /** As the file has them. */
  readonly colors?: SurfaceColors;
  /** To be written; see `SurfaceMesh.attributes`. */
  readonly attributes?: Readonly<Record<string, Float32Array>> | undefined;
  /** What the positions are relative to; see `SurfaceMesh.origin`. */
  readonly origin?: Vec3 | undefined;
}

/** A single-precision number, or the decimal of 6 to 9 digits that a text file has for one. */
function isSingle(x: number): boolean {
  const single = Math.fround(x);
  return Object.is(single, x) || [9, 8, 7, 6].some((digits) => Number(single.toPrecision(digits)) === x);
}

/** Coordinates in double precision, relative to an origin where single precision would round much of them off. */
export function relativePositions(coordinates: ArrayLike<number>): Pick<MeshData, 'positions' | 'origin'> {
  const { min, max } = boundsOf(coordinates) as unknown as Box3;
  let isExact = true;
  for (let i = 0; i < coordinates.length && isExact; i++) isExact = isSingle(coordinates[i]);
  const isBox = [...min, ...max].every(Number.isFinite);
  const origin = isBox && !isExact ? originOf({ domain: { min, max } }) : undefined;
  if (origin === undefined) return { positions: Float32Array.from(coordinates) };
  return { positions: Float32Array.from(coordinates, (x, i) => x - origin[i % 3]), origin };
}

/** One file format, both ways. */
export interface MeshFormat {
  write(mesh: MeshData): Uint8Array;
  /** Writes a scene with its nodes, where the format has nodes. */
  writeScene?(scene: DerivedScene): Uint8Array;
  /** Coordinates are written in single precision, without an origin. */
  readonly isSingle?: true;
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
      ...relativePositions(this.#positions),
      normals: null,
      indices: Uint32Array.from(this.#indices),
    };
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
