import { convertIndexedToRgb, decode as decodePng, hasPngSignature } from 'fast-png';
import jpeg from 'jpeg-js';
import { NsdfFormatError, NsdfUnsupportedError } from '../../errors.ts';
import { parseGlb } from '../../format/glb.ts';
import { IssueList } from '../../format/issues.ts';
import type { JsonObject } from '../../format/json-object.ts';
import type { ImagePixels, SurfaceColors, TextureWrap } from '../../train/index.ts';
import type { GltfAccessors } from './gltf-accessors.ts';

const WRAPS: Readonly<Record<number, TextureWrap>> = { 33071: 'clamp', 33648: 'mirror', 10497: 'repeat' };

/** Reads what primitives look like: vertex colours, base colour, base-colour texture. Opacity is left out. */
export class GltfColors {
  readonly #root: JsonObject;
  readonly #accessors: GltfAccessors;
  readonly #files: ReadonlyMap<string, Uint8Array>;
  readonly #images = new Map<number, ImagePixels>();

  /** @param files bytes of the images that have an address, by it. */
  constructor(root: JsonObject, accessors: GltfAccessors, files: ReadonlyMap<string, Uint8Array>) {
    this.#root = root;
    this.#accessors = accessors;
    this.#files = files;
  }

  /**
   * Undefined for a primitive that is plain white.
   * @throws {NsdfFormatError} for a reference to what is not there, and for a broken image.
   * @throws {NsdfUnsupportedError} for an image that is no PNG and no JPEG.
   */
  read(primitive: JsonObject, nVertices: number): SurfaceColors | undefined {
    const material = this.#item('materials', primitive, 'material');
    const pbr = material?.optionalObject('pbrMetallicRoughness') ?? null;
    const factor =
      (pbr?.has('baseColorFactor') && pbr.numbers('baseColorFactor', { min: 4, max: 4 })) || WHITE;
    const vertices = this.#vertexColors(primitive, nVertices, factor);
    const texture = this.#texture(primitive, pbr?.optionalObject('baseColorTexture') ?? null, nVertices);
    this.#root.issues.throwFirstError();
    if (vertices === null && texture === null) return undefined;
    return { ...(vertices && { vertices }), ...(texture && { texture }) };
  }

  /** @throws {NsdfUnsupportedError} if the primitive has colours, which cannot be read where it is stored like this. */
  refuse(primitive: JsonObject, how: string): void {
    const pbr = this.#item('materials', primitive, 'material')?.optionalObject('pbrMetallicRoughness');
    const hasColors = primitive.optionalObject('attributes')?.has('COLOR_0') || pbr?.has('baseColorTexture');
    if (!hasColors) return;
    const message = `${primitive.path} is ${how}: its colours are not read; decompress it, or train with --no-colour`;
    throw new NsdfUnsupportedError('colours of compressed meshes', message);
  }

  /** Null where they are white. */
  #vertexColors(primitive: JsonObject, nVertices: number, factor: readonly number[]): Float32Array | null {
    const attributes = primitive.optionalObject('attributes');
    const found = attributes?.has('COLOR_0')
      ? this.#accessors.read(attributes, 'COLOR_0', 'VEC3', 'VEC4')
      : null;
    const isWhite = factor.slice(0, 3).every((x) => x === 1);
    if (found === null && isWhite) return null;
    const width = (found?.length ?? 0) / nVertices;
    const colors = new Float32Array(nVertices * 3);
    for (let v = 0; v < nVertices; v++) {
      for (let k = 0; k < 3; k++) colors[v * 3 + k] = factor[k] * (found?.[v * width + k] ?? 1);
    }
    return colors;
  }

  #texture(
    primitive: JsonObject,
    info: JsonObject | null,
    nVertices: number,
  ): SurfaceColors['texture'] | null {
    const texture = info && this.#item('textures', info, 'index');
    if (info === null || texture === null) return null;
    const transform = info.optionalObject('extensions')?.optionalObject('KHR_texture_transform') ?? null;
    const set = transform?.integer('texCoord', -1) ?? -1;
    const name = `TEXCOORD_${set >= 0 ? set : info.integer('texCoord', 0)}`;
    const attributes = primitive.optionalObject('attributes');
    const source = texture.has('source') ? texture.index('source') : null;
    if (!attributes?.has(name) || source === null) return null;
    const coordinates = transformed(this.#accessors.read(attributes, name, 'VEC2'), nVertices, transform);
    const sampler = this.#item('samplers', texture, 'sampler');
    const wrapOf = (key: string): TextureWrap => WRAPS[sampler?.integer(key, 10497) ?? 10497] ?? 'repeat';
    return { coordinates, image: this.#image(source), wrap: [wrapOf('wrapS'), wrapOf('wrapT')] };
  }

  #image(index: number): ImagePixels {
    const known = this.#images.get(index);
    if (known) return known;
    const json = this.#root.optionalObjects('images')[index];
    const path = `/images/${index}`;
    if (!json) throw new NsdfFormatError(`there is no image ${index}`, { field: '/images' });
    const uri = json.has('uri') ? json.text('uri') : null;
    const bytes = uri === null ? this.#accessors.view(json, 'bufferView') : this.#files.get(uri);
    if (!bytes) throw new NsdfFormatError(`image ${index} has no bytes`, { field: path });
    const pixels = decodeImage(bytes, path);
    this.#images.set(index, pixels);
    return pixels;
  }

  /** What an object names by its index in one of the file's lists; null where it names nothing. */
  #item(list: string, owner: JsonObject, key: string): JsonObject | null {
    const index = owner.has(key) ? owner.index(key) : null;
    if (index === null) return null;
    const items = this.#root.optionalObjects(list);
    if (index < items.length) return items[index];
    throw new NsdfFormatError(`there is nothing of index ${index} in ${list}`, { field: owner.path });
  }
}

const WHITE: readonly number[] = [1, 1, 1, 1];

/** Texture coordinates moved, turned and scaled as KHR_texture_transform says. */
function transformed(values: Float64Array, nVertices: number, transform: JsonObject | null): Float32Array {
  const pair = (key: string, fallback: readonly number[]) =>
    transform?.numbers(key, { min: 2, max: 2 }, fallback) ?? fallback;
  const [offset, scale] = [pair('offset', [0, 0]), pair('scale', [1, 1])];
  const angle = transform?.number('rotation', 0) ?? 0;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const out = new Float32Array(nVertices * 2);
  for (let v = 0; v < nVertices; v++) {
    const [s, t] = [scale[0] * (values[v * 2] ?? 0), scale[1] * (values[v * 2 + 1] ?? 0)];
    out[v * 2] = cos * s + sin * t + offset[0];
    out[v * 2 + 1] = cos * t - sin * s + offset[1];
  }
  return out;
}

/** URIs of a GLB's images. */
export function listImages(file: Uint8Array): string[] {
  const { images } = (parseGlb(file, new IssueList())?.json ?? {}) as { images?: unknown };
  const uris = (Array.isArray(images) ? images : []).map((image) => (image as { uri?: unknown } | null)?.uri);
  return [...new Set(uris.filter((uri): uri is string => typeof uri === 'string'))];
}

/** Pixels that a texture may have: 16,384 x 16,384. */
const MAX_PIXELS = 2 ** 28;

/**
 * The pixels of a PNG or a JPEG.
 * @param path of the image in its file, for messages.
 * @throws {NsdfUnsupportedError} for other formats, and for more pixels than there may be.
 * @throws {NsdfFormatError} if the image is broken.
 */
export function decodeImage(bytes: Uint8Array, path: string): ImagePixels {
  const isPng = bytes.length > 8 && hasPngSignature(bytes);
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!isPng && !isJpeg) {
    const message = `${path} is neither a PNG nor a JPEG: convert it, or train with --no-colour`;
    throw new NsdfUnsupportedError('image format', message);
  }
  if (isPng) checkPixels(bytes, path);
  try {
    if (isPng) return pngPixels(bytes);
    return jpeg.decode(bytes, {
      useTArray: true,
      maxResolutionInMP: MAX_PIXELS / 1e6,
      maxMemoryUsageInMB: 4096,
    });
  } catch (cause) {
    const message = `${path} is a broken ${isPng ? 'PNG' : 'JPEG'}: ${(cause as Error).message}`;
    throw new NsdfFormatError(message, { field: path, cause });
  }
}

/** A PNG says in its first bytes how large it is; nothing is allocated before. */
function checkPixels(bytes: Uint8Array, path: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = bytes.length >= 24 ? [view.getUint32(16), view.getUint32(20)] : [0, 0];
  if (width * height <= MAX_PIXELS) return;
  const message = `${path} has ${width} x ${height} pixels, at most ${MAX_PIXELS} are read`;
  throw new NsdfUnsupportedError('image size', message);
}

function pngPixels(bytes: Uint8Array): ImagePixels {
  const png = decodePng(bytes, { checkCrc: true });
  const { width, height, depth } = png;
  let { data, channels } = png;
  if (png.palette || depth < 8) {
    const most = 2 ** depth - 1;
    const greys = Array.from({ length: most + 1 }, (_, i) => new Array(3).fill(Math.round((255 * i) / most)));
    const palette = png.palette ?? greys;
    data = convertIndexedToRgb({ ...png, palette });
    channels = palette[0].length;
  }
  const pixels = new Uint8Array(width * height * 4).fill(255);
  const isGrey = channels < 3;
  const scale = depth === 16 ? 1 / 257 : 1;
  for (let i = 0; i < width * height; i++) {
    for (let k = 0; k < 3; k++) pixels[i * 4 + k] = Math.round(scale * data[i * channels + (isGrey ? 0 : k)]);
  }
  return { width, height, data: pixels };
}
