import type { BabylonViewer } from './babylon/viewer.ts';
import type { Viewer } from './viewer.ts';

const DEFAULT_ASSET = '/assets/bunny.nsdf';

const query = new URLSearchParams(location.search);
const engine = query.get('engine') === 'babylon' ? 'babylon' : 'three';
showSwitch();
const viewer = await createViewer();
// For the tests, and for whoever opens the console.
Object.assign(globalThis, { __viewer: viewer });
await viewer.openUrl(query.get('asset') ?? DEFAULT_ASSET);

/** Only the engine that is asked for is fetched. */
async function createViewer(): Promise<Viewer | BabylonViewer> {
  if (engine === 'babylon') {
    const babylon = await import('./babylon/viewer.ts');
    return babylon.BabylonViewer.create(query.get('renderer'));
  }
  const three = await import('./viewer.ts');
  return three.Viewer.create(query.get('renderer'));
}

/** Both engines show the same file; changing over loads the page anew. */
function showSwitch(): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>('#engines a')) {
    const other = new URLSearchParams(query);
    other.set('engine', link.dataset.engine ?? '');
    link.href = `?${other}`;
    if (link.dataset.engine === engine) link.setAttribute('aria-current', 'page');
  }
}
