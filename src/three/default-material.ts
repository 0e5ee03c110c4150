import { Color, MeshStandardMaterial } from 'three';
import { DEFAULT_LOOK } from '../plugin/default-look.ts';

/** What a field gets where its file names no material. */
export function createDefaultMaterial(): MeshStandardMaterial {
  const { name, baseColor, roughness, metalness } = DEFAULT_LOOK;
  return new MeshStandardMaterial({ name, color: new Color(...baseColor), roughness, metalness });
}
