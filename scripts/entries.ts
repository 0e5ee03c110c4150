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
  'gltf-transform': 'src/format/gltf-transform.ts',
} as const;

export const CLI_ENTRY = { 'cli/nsdf': 'src/cli/nsdf.ts' } as const;
export const WORKER_ENTRY = { worker: 'src/pipeline/worker.ts' } as const;
