/** What of a network is shared, and what is not: weights that many files show are held once, weights that change are an object's own. */
import { mapTables } from '../format/encodings.ts';
import { contentHash, type FieldAsset, type MlpLayer } from '../index.ts';

/**
 * Networks whose weights lie beside the files that show them, by SHA-256. The tiles of one large field come one by one,
 * each through a loader of its own: together they hold the weights once, and fetch them once. That is why this belongs
 * to the module. Nothing is kept alive by it.
 */
const found = new Map<string, WeakRef<readonly MlpLayer[]>>();
const networks = new WeakMap<readonly MlpLayer[], FieldAsset>();
const pending = new Map<string, Promise<void>>();

/**
 * The network with this hash if something on the page still shows it, or is loading it; else `load`ed, and then shared
 * with others if its weights have the hash that its file states.
 * @param load may fail, for this caller alone.
 */
export async function shareNetwork(sha256: string, load: () => Promise<FieldAsset>): Promise<FieldAsset> {
  // Pages that are no secure context have no SHA-256 to check the files' word with.
  if (globalThis.crypto?.subtle === undefined) return load();
  // Whoever wakes first after a failure loads next; the others wait for it. Between a look and a load nothing waits.
  for (let waiting = pending.get(sha256); waiting; waiting = pending.get(sha256)) await waiting;
  const known = lookUp(sha256);
  if (known) return known;
  const loading = load();
  const keeping = loading
    .then((asset) => keep(sha256, asset))
    .catch(() => undefined)
    .finally(() => pending.delete(sha256));
  pending.set(sha256, keeping);
  return loading;
}

function lookUp(sha256: string): FieldAsset | undefined {
  const layers = found.get(sha256)?.deref();
  if (layers) return networks.get(layers);
  found.delete(sha256);
  return undefined;
}

/** Weights that are not what their file says stay its own affair. */
async function keep(sha256: string, asset: FieldAsset): Promise<void> {
  if ((await contentHash(asset)) !== sha256) return;
  networks.set(asset.layers, asset);
  found.set(sha256, new WeakRef(asset.layers));
}

/**
 * A field with weights of its own. What is kept of a network is found by its arrays: those of a training, which change in
 * place, would be taken for the weights that they were.
 */
export function copyWeights(asset: FieldAsset): FieldAsset {
  const { encoding, layers } = asset;
  return {
    ...asset,
    encoding: mapTables(encoding, (table) => table.slice()),
    layers: layers.map((layer) => ({
      ...layer,
      weights: layer.weights.slice(),
      bias: layer.bias?.slice() ?? null,
    })),
  };
}
