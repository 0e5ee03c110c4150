import { NsdfFormatError, NsdfUnsupportedError } from '../index.ts';

/** Puts a file's address before what is said of its bytes: whoever loads many has to know which one it was. */
export function nameSource(error: unknown, source: string): unknown {
  const isOfBytes = error instanceof NsdfFormatError || error instanceof NsdfUnsupportedError;
  if (isOfBytes && source !== '' && !error.message.startsWith(source)) {
    error.message = `${source}: ${error.message}`;
  }
  return error;
}
