import type { Box3, FieldAsset, Vec3 } from './asset.ts';

/** Where a field's surface can be, in local units: the domain, or the region's part of it. */
export function shownBox({ domain, region }: Pick<FieldAsset, 'domain' | 'region'>): Box3 {
  if (region === undefined) return domain;
  const clamp = (point: Vec3): Vec3 => {
    const [x, y, z] = point.map((value, k) => Math.min(domain.max[k], Math.max(domain.min[k], value)));
    return [x, y, z];
  };
  return { min: clamp(region.min), max: clamp(region.max) };
}
