import { MeshStandardMaterial } from 'three';

/** A warm matte clay: what a field gets where its file names no material (glTF's own default is bare metal). */
export function createDefaultMaterial(): MeshStandardMaterial {
  return new MeshStandardMaterial({ name: 'nsdf-default', color: 0xd8d0c5, roughness: 0.62, metalness: 0 });
}
