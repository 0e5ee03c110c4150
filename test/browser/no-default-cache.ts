import { setDefaultCache } from '../../src/index.ts';

// Tests derive the same fields over and over and mean it each time; the cache's own tests name one.
setDefaultCache(null);
