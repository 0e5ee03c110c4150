// What tests and the benchmark of the cache do in a page: one visit derives the bunny and says how that went.
import {
  type CacheStatistics,
  checkMesh,
  createCpuField,
  type DeriveOptions,
  type DeriveStats,
  defaultCache,
  deriveMesh,
  readField,
  type StoreUsage,
} from '../../../src/index.ts';

export interface Derived {
  readonly stats: DeriveStats;
  /** SHA-256 of positions, normals and indices. */
  readonly meshHash: string;
}

async function hashOf(...arrays: readonly ArrayBufferView[]): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await new Blob(arrays as BlobPart[]).arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const bunny = async () => readField(await (await fetch('/assets/bunny.nsdf')).arrayBuffer());

/** Derives with a new asset object, as a page does that has just loaded. */
async function derive(options: DeriveOptions): Promise<Derived> {
  const { mesh, stats } = await deriveMesh(await bunny(), options);
  return { stats, meshHash: await hashOf(mesh.positions, mesh.normals, mesh.indices) };
}

/** Resolves when what was derived has reached IndexedDB. */
async function settle(): Promise<{ statistics: CacheStatistics; usage: StoreUsage | null }> {
  const cache = defaultCache()!;
  await cache.settled();
  return { statistics: cache.statistics, usage: await cache.usage() };
}

async function check(options: DeriveOptions) {
  const asset = await bunny();
  const { mesh, stats } = await deriveMesh(asset, options);
  const report = await checkMesh(mesh, { field: createCpuField(asset), domain: asset.domain, samples: 500 });
  return { use: stats.cache.use, isClosed: report.isClosed, isManifold: report.isManifold };
}

/** Changes what IndexedDB holds of every record of a kind, behind the cache's back. */
async function tamper(kind: string, byte: number, value: number): Promise<number> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open('nsdf-cache');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const transaction = database.transaction('records', 'readwrite');
  const records = transaction.objectStore('records');
  let nChanged = 0;
  records.openCursor().onsuccess = ({ target }) => {
    const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
    if (!cursor) return;
    if (String(cursor.key).includes(`/${kind}/`)) {
      cursor.update((cursor.value as Uint8Array).fill(value, byte, byte + 1));
      nChanged++;
    }
    cursor.continue();
  };
  await new Promise((resolve) => {
    transaction.oncomplete = resolve;
  });
  database.close();
  return nChanged;
}

const application = { derive, settle, check, tamper, clear: () => defaultCache()!.clear() };
export type App = typeof application;

declare global {
  var app: App;
}
globalThis.app = application;
