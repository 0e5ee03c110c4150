/** Packages that the command line uses where they are installed beside it, and does without where they are not. */
const LOADERS = {
  meshoptimizer: async () => import('meshoptimizer'),
  draco3dgltf: async () => (await import('draco3dgltf')).default,
} as const;

export type OptionalPackage = keyof typeof LOADERS;
type Loaded<N extends OptionalPackage> = Awaited<ReturnType<(typeof LOADERS)[N]>>;

/** The module, or null where the package is not installed. */
export async function loadOptional<N extends OptionalPackage>(name: N): Promise<Loaded<N> | null> {
  try {
    return (await LOADERS[name]()) as Loaded<N>;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw cause;
  }
}
