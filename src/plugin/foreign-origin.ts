/** Where the page is; undefined in Node. */
function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}

/**
 * Whether a request would go to another origin than the file lies at that asks for it: a file may name any address, and
 * headers and credentials that were meant for its own server are not for others.
 * @param url what is asked for: absolute, or relative to the page.
 * @param fileUrl the file's own URL or its folder's, likewise; empty where it was given as bytes: the page's origin counts.
 */
export function isForeignOrigin(url: string, fileUrl: string): boolean {
  const page = pageUrl();
  if (!URL.canParse(url, page)) return false; // relative, without a page: nothing that could be asked for
  const asked = new URL(url, page);
  if (asked.protocol === 'data:' || asked.protocol === 'blob:') return false;
  if (!URL.canParse(fileUrl, page)) return true;
  const own = new URL(fileUrl, page);
  return asked.protocol !== own.protocol || asked.host !== own.host;
}
