/**
 * A warm matte clay: how a field is drawn whose file names no material (glTF's own default is bare metal).
 * Linear RGB of sRGB #d8d0c5.
 */
export const DEFAULT_LOOK = {
  name: 'nsdf-default',
  baseColor: [0.68669, 0.63076, 0.55834],
  roughness: 0.62,
  metalness: 0,
} as const;
