/** The JSON of a GLB, loosely typed: tests put anything in. */
// biome-ignore lint/suspicious/noExplicitAny: a test edits every corner of it.
export type Json = any;

/** Adds bytes to the BIN chunk and gives the index of their bufferView. */
export type AddView = (data: ArrayBufferView) => number;

/** Takes a GLB apart, lets `edit` change its JSON and add bufferViews, and packs it again. */
export function editGlb(
  file: Uint8Array,
  edit: (json: Json, addView: AddView) => void,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const nJson = view.getUint32(12, true);
  const json: Json = JSON.parse(new TextDecoder().decode(file.subarray(20, 20 + nJson)));
  let bin = pad(file.subarray(28 + nJson), 0);
  edit(json, (data) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const index = json.bufferViews.push({ buffer: 0, byteOffset: bin.length, byteLength: bytes.length }) - 1;
    bin = concat([bin, pad(bytes, 0)]);
    return index;
  });
  json.buffers = [{ byteLength: bin.length }];
  const text = pad(new TextEncoder().encode(JSON.stringify(json)), 0x20);
  const length = 12 + 8 + text.length + 8 + bin.length;
  return concat([
    words(0x46546c67, 2, length),
    words(text.length, 0x4e4f534a),
    text,
    words(bin.length, 0x004e4942),
    bin,
  ]);
}

function words(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => {
    view.setUint32(index * 4, value, true);
  });
  return new Uint8Array(view.buffer);
}

function pad(bytes: Uint8Array, filler: number): Uint8Array {
  return concat([bytes, new Uint8Array((4 - (bytes.length % 4)) % 4).fill(filler)]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
