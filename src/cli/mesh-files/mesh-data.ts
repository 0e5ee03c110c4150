import { NsdfFormatError } from '../../errors.ts';
import type { Box3, Vec3 } from '../../format/asset.ts';
import { originOf } from '../../format/local-origin.ts';
import {
  listFields,
  type NsdfField,
  type NsdfFieldInstance,
  type NsdfNode,
  type NsdfScene,
} from '../../format/scene.ts';
import { boundsOf } from '../../format/write-bin.ts';
import type { SurfaceColors } from '../../train/index.ts';

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

/** A scene and the meshes of its fields; nodes that share a field share its mesh. */
export interface DerivedScene {
  readonly scene: NsdfScene;
  readonly meshOf: (field: NsdfField) => MeshData;
}

/** The node or one below it has a field. */
export function carriesFields({ mesh, children }: NsdfNode): boolean {
  return mesh !== null || children.some(carriesFields);
}

/**
 * The whole scene as one mesh, in the scene's space, computed in double precision. Where a transform mirrors, triangles are
 * turned, so that they face outwards still; normals go by the inverse transpose. What has no volume there is left out.
 */
export function flattenScene({ scene, meshOf }: DerivedScene): MeshData {
  const parts = listFields(scene)
    .filter((instance) => !isCollapsed(instance))
    .map(({ field, matrixWorld }) => placeMesh(meshOf(field), matrixWorld));
  const coordinates = new Float64Array(parts.reduce((n, part) => n + part.coordinates.length, 0));
  const normals = new Float32Array(coordinates.length);
  const indices = new Uint32Array(parts.reduce((n, part) => n + part.indices.length, 0));
  let v = 0;
  let t = 0;
  for (const part of parts) {
    coordinates.set(part.coordinates, v);
    normals.set(part.normals, v);
    indices.set(
      part.indices.map((index) => index + v / 3),
      t,
    );
    v += part.coordinates.length;
    t += part.indices.length;
  }
  return { ...relativePositions(coordinates), normals, indices, attributes: joinColors(parts) };
}

/** Colours where every part has them, as many channels each; what parts don't have in common is left out. */
function joinColors(parts: readonly ReturnType<typeof placeMesh>[]): MeshData['attributes'] {
  const shown = parts.filter(({ coordinates }) => coordinates.length > 0);
  const colors = shown.map(({ attributes }) => attributes?.COLOR_0);
  const widths = new Set(
    shown.map(({ coordinates }, i) => (3 * (colors[i]?.length ?? 0)) / coordinates.length),
  );
  if (shown.length === 0 || widths.size > 1 || widths.has(0)) return undefined;
  const joined = new Float32Array(colors.reduce((n, values) => n + (values?.length ?? 0), 0));
  let at = 0;
  for (const values of colors as Float32Array[]) {
    joined.set(values, at);
    at += values.length;
  }
  return { COLOR_0: joined };
}

/** Whether an instance has no volume, for its transform is singular but for rounding: a scale of 0, by which scenes hide what is in them. */
export function isCollapsed({ matrixWorld: m }: Pick<NsdfFieldInstance, 'matrixWorld'>): boolean {
  const lengths = [0, 4, 8].map((i) => Math.hypot(m[i], m[i + 1], m[i + 2]));
  const largest = lengths[0] * lengths[1] * lengths[2];
  return !(Math.abs(determinantOf(m, cofactorOf(m))) > DETERMINANT_ROUNDING * largest);
}

/** By how much a determinant is off, as a share of the product of its columns' lengths: three products of three roundings each. */
const DETERMINANT_ROUNDING = 8 * Number.EPSILON;

function determinantOf(m: readonly number[], cofactor: readonly number[]): number {
  return m[0] * cofactor[0] + m[1] * cofactor[1] + m[2] * cofactor[2];
}

function placeMesh(
  { positions, normals, indices, attributes, origin = [0, 0, 0] }: MeshData,
  m: readonly number[],
) {
  const coordinates = new Float64Array(positions.length);
  const turned = new Float32Array(positions.length);
  const cofactor = cofactorOf(m);
  const side = determinantOf(m, cofactor) < 0 ? -1 : 1;
  for (let i = 0; i < positions.length; i += 3) {
    const [x, y, z] = [0, 1, 2].map((k) => positions[i + k] + origin[k]);
    const [a, b, c] = [0, 1, 2].map((k) => normals?.[i + k] ?? 0);
    for (let k = 0; k < 3; k++) {
      coordinates[i + k] = m[k] * x + m[4 + k] * y + m[8 + k] * z + m[12 + k];
      turned[i + k] = side * (cofactor[k] * a + cofactor[3 + k] * b + cofactor[6 + k] * c);
    }
    const length = Math.hypot(turned[i], turned[i + 1], turned[i + 2]);
    if (length > 0) for (let k = 0; k < 3; k++) turned[i + k] /= length;
  }
  const facing = side > 0 ? indices : indices.map((_, i) => indices[i - (i % 3) + 2 - (i % 3)]);
  return { coordinates, normals: turned, indices: facing, attributes };
}

/** Of the linear part, column by column: its inverse transpose times its determinant. */
function cofactorOf(m: readonly number[]): number[] {
  const cross = (i: number, j: number): number[] => [
    m[i + 1] * m[j + 2] - m[i + 2] * m[j + 1],
    m[i + 2] * m[j] - m[i] * m[j + 2],
    m[i] * m[j + 1] - m[i + 1] * m[j],
  ];
  return [...cross(4, 8), ...cross(8, 0), ...cross(0, 4)];
}
