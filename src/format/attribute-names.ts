/** What {@link attributeWidths} knows, in words. */
export const ATTRIBUTE_NAMES =
  'COLOR_0, TEXCOORD_0 and so on, or an underscore and capitals, as _TEMPERATURE';

/**
 * How many numbers an attribute of that name may have a vertex, as glTF has it; null for names that are none, and for those
 * of what a mesh has anyway or a field cannot give (positions, normals, joints). Capitals alone: engines lower the case, and two names must not become one.
 */
export function attributeWidths(name: string): readonly number[] | null {
  if (/^COLOR_\d{1,2}$/.test(name)) return [3, 4];
  if (/^TEXCOORD_\d{1,2}$/.test(name)) return [2];
  return /^_[A-Z0-9][A-Z0-9_]{0,62}$/.test(name) ? [1, 2, 3, 4] : null;
}

/** Whether the attribute's values are clamped to [0, 1]: colours are. */
export function isColor(name: string): boolean {
  return name.startsWith('COLOR_');
}
