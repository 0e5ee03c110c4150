import { Viewer } from './viewer.ts';

const DEFAULT_ASSET = '/assets/bunny.nsdf';

const query = new URLSearchParams(location.search);
const viewer = await Viewer.create(query.get('renderer'));
// For the tests, and for whoever opens the console.
Object.assign(globalThis, { __viewer: viewer });
await viewer.openUrl(query.get('asset') ?? DEFAULT_ASSET);
