import { NsdfFormatError } from '../errors.ts';

/** Deeper JSON is refused: whatever walks it recurses, engines' own loaders included. */
const MAX_DEPTH = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Parses UTF-8 bytes as JSON.
 * @param byteOffset of the bytes in their file, for messages.
 * @throws {NsdfFormatError} for what is no UTF-8, no JSON, or nested more than 512 deep.
 */
export function parseJsonText(bytes: Uint8Array, byteOffset: number): unknown {
  if (isTooDeep(bytes)) {
    throw new NsdfFormatError(`nested more than ${MAX_DEPTH} deep`, { byteOffset });
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 120) : 'unreadable';
    throw new NsdfFormatError(`not JSON: ${reason}`, { byteOffset, cause });
  }
}

/** Counts brackets outside of strings; right for every text that is JSON. */
function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isInString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}
