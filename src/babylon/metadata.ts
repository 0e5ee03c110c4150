/** What Babylon's scene loader knows of the plugin before it is needed: its name and its file extension. */
export const NSDFFileLoaderMetadata = {
  name: 'nsdf',
  extensions: { '.nsdf': { isBinary: true } },
} as const;
