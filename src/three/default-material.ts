import { Color, MeshStandardMaterial } from 'three';
import { DEFAULT_LOOK } from '../plugin/default-look.ts';

/** What a field gets where its file names no material; one that has colours shows those instead of ours. */
export function createDefaultMaterial(isColored = false): MeshStandardMaterial {
  const { name, baseColor, roughness, metalness } = DEFAULT_LOOK;
  const color = isColored ? new Color(1, 1, 1) : new Color(...baseColor);
  return new MeshStandardMaterial({ name, color, roughness, metalness, vertexColors: isColored });
}
