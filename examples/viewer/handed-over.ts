/** A file that one page of this site hands to another: the page that was opened asks for it, the one that opened it answers. */
interface HandedFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const ASK = 'nsdf-viewer asks for its file';
/** How long the viewer waits for a page that may be gone. */
const WAIT_MS = 10_000;

/** Asks the page that opened this one for its file; null where there is no such page, or no answer. */
export function receiveFile(): Promise<File | null> {
  const opener = globalThis.opener as Window | null;
  if (!opener) return Promise.resolve(null);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), WAIT_MS);
    addEventListener('message', ({ source, origin, data }: MessageEvent<HandedFile>) => {
      if (source !== opener || origin !== location.origin || !(data.bytes instanceof Uint8Array)) return;
      clearTimeout(timer);
      resolve(new File([data.bytes], data.name));
    });
    opener.postMessage(ASK, location.origin);
  });
}

/** Gives a file to the viewer that this page has opened, as often as that asks. */
export function handOver(viewer: Window, file: Promise<HandedFile>): void {
  addEventListener('message', async ({ source, origin, data }) => {
    if (source !== viewer || origin !== location.origin || data !== ASK) return;
    viewer.postMessage(await file, location.origin);
  });
}
