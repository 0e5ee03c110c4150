import { NsdfFormatError } from '../errors.ts';
import type { Box3 } from '../format/asset.ts';
import { toLinear } from '../format/srgb.ts';
import type { Triangles } from '../surface/triangle-tree.ts';
import { normal } from './distance-source.ts';

/** Pixels of a picture, row by row from the top, as PNG and JPEG have them. */
export interface ImagePixels {
  readonly width: number;
  readonly height: number;
  /** u8[width * height * 4]: sRGB and alpha, which is not looked at. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** What becomes of texture coordinates beyond [0, 1]. */
export type TextureWrap = 'repeat' | 'clamp' | 'mirror';

/** What a mesh looks like: colours of its vertices, a texture, or both, which are multiplied as in glTF. */
export interface SurfaceColors {
  /** f32[nVertices * 3], linear RGB. Default: white. */
  readonly vertices?: Float32Array;
  readonly texture?: {
    /** f32[nVertices * 2], glTF's: (0, 0) is the upper left corner. */
    readonly coordinates: Float32Array;
    readonly image: ImagePixels;
    /** Across and down. Default: repeated both ways. */
    readonly wrap?: readonly [TextureWrap, TextureWrap];
  };
}

/** Triangles that may have colours. */
export interface ColoredTriangles extends Triangles {
  readonly colors?: SurfaceColors;
}

/** Numbers a sample: position in the cube [-1, 1]³, linear RGB. */
export const COLOR_STRIDE = 6;
/** Standard deviation of the samples' distance from the surface, in the cube: as far as the field's zero set may be off. */
const NEAR = 3e-3;
const INSIDE = 1 - 1e-6;

const LINEAR = Float64Array.from({ length: 256 }, (_, i) => toLinear(i / 255));

/** Draws points beside coloured meshes, uniformly by area, and their colours; parts without any are white. */
export class ColorSource {
  private readonly meshes: readonly ColoredTriangles[];
  private readonly min: readonly number[];
  private readonly half: number;
  /** Sums of areas up to each triangle, all meshes' one after the other; and the first triangle of each mesh. */
  private readonly sums: Float64Array;
  private readonly firsts: readonly number[];
  private readonly edges = new Float64Array(9);

  /**
   * @param domain the cube that is trained in, in the meshes' units.
   * @throws {NsdfFormatError} if colours, coordinates or pixels are of another number than they should be.
   */
  constructor(meshes: readonly ColoredTriangles[], domain: Box3) {
    meshes.forEach(checkColors);
    this.meshes = meshes;
    this.min = domain.min;
    this.half = (domain.max[0] - domain.min[0]) / 2;
    const firsts = [0];
    for (const { indices } of meshes) firsts.push(firsts[firsts.length - 1] + indices.length / 3);
    this.firsts = firsts;
    this.sums = new Float64Array(firsts[meshes.length]);
    let total = 0;
    meshes.forEach((mesh, m) => {
      for (let i = 0; i < mesh.indices.length; i += 3) {
        writeEdges(mesh, i, this.edges);
        total += Math.hypot(this.edges[6], this.edges[7], this.edges[8]);
        this.sums[firsts[m] + i / 3] = total;
      }
    });
  }

  /** Writes a sample; the last three numbers are the colour. */
  writeSample(random: () => number, samples: Float64Array, at: number): void {
    const { sums, firsts, edges } = this;
    const t = firstAbove(sums, random() * sums[sums.length - 1]);
    const root = Math.sqrt(random());
    const share = random();
    const b = root * (1 - share);
    const c = root * share;
    const m = firstAbove(firsts, t) - 1;
    const mesh = this.meshes[m];
    const { positions, indices, colors = {} } = mesh;
    const first = (t - firsts[m]) * 3;
    const corners = [indices[first], indices[first + 1], indices[first + 2]] as const;
    writeEdges(mesh, first, edges);
    const length = Math.hypot(edges[6], edges[7], edges[8]);
    const offset = (NEAR * this.half * normal(random)) / (length > 0 ? length : 1);
    for (let k = 0; k < 3; k++) {
      const place = positions[corners[0] * 3 + k] + b * edges[k] + c * edges[3 + k] + offset * edges[6 + k];
      const inCube = (place - this.min[k]) / this.half - 1;
      samples[at + k] = Math.min(INSIDE, Math.max(-INSIDE, inCube));
    }
    writeColor(colors, corners, b, c, samples, at + 3);
  }
}

/** Both edges from a triangle's first corner, which is `indices[i]`, and their cross product. */
function writeEdges({ positions: p, indices }: Triangles, i: number, out: Float64Array): void {
  const a = indices[i] * 3;
  for (let k = 0; k < 3; k++) {
    out[k] = p[indices[i + 1] * 3 + k] - p[a + k];
    out[3 + k] = p[indices[i + 2] * 3 + k] - p[a + k];
  }
  out[6] = out[1] * out[5] - out[2] * out[4];
  out[7] = out[2] * out[3] - out[0] * out[5];
  out[8] = out[0] * out[4] - out[1] * out[3];
}

/** Index of the first of ascending numbers that is above another; that of the last where none is. */
function firstAbove(ascending: ArrayLike<number>, x: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > x) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The colours of meshes of which at least one has any; undefined for those that have none. */
export function colorSourceOf(meshes: readonly ColoredTriangles[], domain: Box3): ColorSource | undefined {
  return meshes.some(({ colors }) => colors !== undefined) ? new ColorSource(meshes, domain) : undefined;
}

function checkColors({ positions, colors = {} }: ColoredTriangles): void {
  const nVertices = positions.length / 3;
  const expect = (what: string, found: number | undefined, expected: number): void => {
    if (found === undefined || found === expected) return;
    throw new NsdfFormatError(`${found} ${what} for ${nVertices} vertices, expected ${expected}`, {
      field: 'colors',
    });
  };
  expect('numbers of colours', colors.vertices?.length, nVertices * 3);
  expect('texture coordinates', colors.texture?.coordinates.length, nVertices * 2);
  const { width = 1, height = 1, data } = colors.texture?.image ?? {};
  if (data === undefined || (data.length === width * height * 4 && data.length > 0)) return;
  throw new NsdfFormatError(`a texture of ${width} x ${height} pixels with ${data.length} bytes`, {
    field: 'colors.texture.image',
  });
}

/** Linear RGB at a point of a triangle. */
function writeColor(
  { vertices, texture }: SurfaceColors,
  [i, j, k]: readonly [number, number, number],
  b: number,
  c: number,
  out: Float64Array,
  at: number,
): void {
  const a = 1 - b - c;
  for (let n = 0; n < 3; n++) {
    out[at + n] = vertices ? a * vertices[i * 3 + n] + b * vertices[j * 3 + n] + c * vertices[k * 3 + n] : 1;
  }
  if (texture === undefined) return;
  const { coordinates: uv, image, wrap = ['repeat', 'repeat'] } = texture;
  const u = a * uv[i * 2] + b * uv[j * 2] + c * uv[k * 2];
  const v = a * uv[i * 2 + 1] + b * uv[j * 2 + 1] + c * uv[k * 2 + 1];
  multiplyTexel(image, u * image.width - 0.5, v * image.height - 0.5, wrap, out, at);
}

/** Bilinear, in linear light. */
function multiplyTexel(
  { width, height, data }: ImagePixels,
  x: number,
  y: number,
  [wrapX, wrapY]: readonly [TextureWrap, TextureWrap],
  out: Float64Array,
  at: number,
): void {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const [fx, fy] = [x - left, y - top];
  const x0 = wrapped(left, width, wrapX);
  const x1 = wrapped(left + 1, width, wrapX);
  const y0 = wrapped(top, height, wrapY) * width;
  const y1 = wrapped(top + 1, height, wrapY) * width;
  for (let n = 0; n < 3; n++) {
    const upper = LINEAR[data[(y0 + x0) * 4 + n]] * (1 - fx) + LINEAR[data[(y0 + x1) * 4 + n]] * fx;
    const lower = LINEAR[data[(y1 + x0) * 4 + n]] * (1 - fx) + LINEAR[data[(y1 + x1) * 4 + n]] * fx;
    out[at + n] *= upper * (1 - fy) + lower * fy;
  }
}

/** 0 for coordinates that are no numbers. */
function wrapped(i: number, n: number, wrap: TextureWrap): number {
  if (!Number.isFinite(i)) return 0;
  if (wrap === 'clamp') return Math.min(n - 1, Math.max(0, i));
  if (wrap === 'repeat') return ((i % n) + n) % n;
  const back = ((i % (2 * n)) + 2 * n) % (2 * n);
  return back < n ? back : 2 * n - 1 - back;
}
