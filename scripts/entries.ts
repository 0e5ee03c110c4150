/** The package's public entries: the name of the file in dist, without its ending, and its source. */
export const ENTRIES = {
  index: 'src/index.ts',
  three: 'src/three/index.ts',
  babylon: 'src/babylon/index.ts',
  'babylon/metadata': 'src/babylon/metadata.ts',
  'babylon/pure': 'src/babylon/pure.ts',
  'babylon/register': 'src/babylon/register.ts',
  lod: 'src/lod/index.ts',
  import: 'src/import/index.ts',
  train: 'src/train/index.ts',
  'gltf-transform': 'src/format/gltf-transform.ts',
} as const;

export const CLI_ENTRIES = {
  'cli/nsdf': 'src/cli/nsdf.ts',
  'cli/node-worker': 'src/cli/node-worker.ts',
  'cli/node-train-worker': 'src/cli/node-train-worker.ts',
} as const;
export const WORKER_ENTRIES = {
  worker: 'src/pipeline/worker.ts',
  'train-worker': 'src/train/train-worker.ts',
} as const;
