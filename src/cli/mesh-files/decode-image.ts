import { convertIndexedToRgb, decode as decodePng, hasPngSignature } from 'fast-png';
import jpeg from 'jpeg-js';
import { NsdfFormatError, NsdfUnsupportedError } from '../../errors.ts';
import type { ImagePixels } from '../../train/index.ts';

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
