import type { GlbChunks } from './glb.ts';
import type { JsonObject } from './json-object.ts';
import type { TableStore } from './table-store.ts';
import { createWeightSource, type WeightSource } from './weights.ts';

/** A checked bufferView: its bytes, and the stride of interleaved attributes. */
export interface BufferView {
  readonly bytes: Uint8Array;
  /** Offset in the file. */
  readonly fileByteOffset: number;
  readonly byteStride: number | null;
}

/** Checks all buffers and bufferViews. A bufferView that is wrong, or outside this file, comes as null. */
export function readBufferViews(root: JsonObject, glb: GlbChunks): readonly (BufferView | null)[] {
  const bufferBytes = root
    .optionalObjects('buffers')
    .map((buffer, i) => buffer && readBuffer(buffer, i, glb));
  return root.optionalObjects('bufferViews').map((json) => json && readBufferView(json, bufferBytes, glb));
}

/** The weights of a file: all together may be as long as its BIN chunk. */
export function fileWeightSource(
  views: readonly (BufferView | null)[],
  glb: GlbChunks,
  tables: TableStore,
): WeightSource {
  const source = {
    getBytes: (index: number) => views[index]?.bytes ?? null,
    getByteOffset: (index: number) => views[index]?.fileByteOffset,
    ...(glb.isPrefix && { isMissing: (index: number) => views[index] === null }),
  };
  return createWeightSource(source, glb.bin.length, tables);
}

/** The BIN chunk's bytes for buffer 0; buffers beside the file are not followed. */
function readBuffer(json: JsonObject, index: number, glb: GlbChunks): Uint8Array | null {
  const byteLength = json.index('byteLength');
  if (index > 0 || json.has('uri')) {
    const message = 'a buffer outside the BIN chunk, ignored: inlineBuffers makes the file self-contained';
    json.issues.note('warning', 'reference', message, { path: json.path });
    return null;
  }
  if (byteLength === null) return null;
  if (byteLength > glb.bin.length && !glb.isPrefix) {
    const message = `${byteLength} bytes, but the BIN chunk has ${glb.bin.length}`;
    json.issues.error('length', message, json.place('byteLength'));
    return null;
  }
  return glb.bin.subarray(0, byteLength);
}

function readBufferView(
  json: JsonObject,
  buffers: readonly (Uint8Array | null)[],
  glb: GlbChunks,
): BufferView | null {
  const buffer = json.index('buffer');
  const byteLength = json.index('byteLength');
  const byteOffset = json.has('byteOffset') ? json.index('byteOffset') : 0;
  const byteStride = json.has('byteStride') ? json.index('byteStride') : null;
  if (buffer === null || byteLength === null || byteOffset === null) return null;
  if (buffer >= buffers.length) {
    json.issues.error('reference', `there is no buffer ${buffer}`, json.place('buffer'));
    return null;
  }
  const bytes = buffers[buffer];
  if (bytes === null) return null;
  if (byteOffset + byteLength > bytes.length) {
    if (glb.isPrefix) return null; // it is still to come
    const message = `bytes ${byteOffset}..${byteOffset + byteLength} of a buffer of ${bytes.length}`;
    json.issues.error('length', message, { path: json.path, byteOffset: glb.binByteOffset });
    return null;
  }
  return {
    bytes: bytes.subarray(byteOffset, byteOffset + byteLength),
    fileByteOffset: glb.binByteOffset + byteOffset,
    byteStride,
  };
}
