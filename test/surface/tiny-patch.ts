import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset, Vec3 } from '../../src/format/asset.ts';
import { RegionNetwork } from '../../src/partition/region-network.ts';
import { Patch } from '../../src/surface/patch.ts';
import { boxAt, makeTable } from '../partition/regions.ts';

/** A patch in a box of the field's own; the field itself is asked, there are no creases. */
export function patchOf(asset: FieldAsset, origin: Vec3, size: Vec3, direction: Vec3): Patch {
  const field = createCpuField(asset);
  const patch = new Patch(new RegionNetwork(field));
  patch.field = field;
  patch.begin(origin, size, direction);
  return patch;
}

/** Adds a polygon of new vertices. @returns them. */
export function addPolygon(patch: Patch, points: readonly (readonly number[])[]): number[] {
  const polygon = points.map(([x, y, z]) => patch.addVertex(-1, x, y, z, -1));
  patch.polygons.push(polygon);
  return polygon;
}

/** The triangles of a patch, each from its least vertex. */
export function trianglesOf({ triangles }: Patch): string[] {
  return Array.from({ length: triangles.length / 3 }, (_, t) => {
    const [a, b, c] = triangles.slice(t * 3, t * 3 + 3);
    const least = Math.min(a, b, c);
    return (least === a ? [a, b, c] : least === b ? [b, c, a] : [c, a, b]).join(' ');
  }).sort();
}

/** A patch in a box that is the whole domain, with the field's network reduced to it. */
export function wholeDomainPatch(asset: FieldAsset, direction: Vec3): Patch {
  const { field, table } = makeTable(asset, 1);
  const n = 2 ** table.lattice.subBits;
  const { min, size, ids } = boxAt(table, [0, 0, 0], [n, n, n]);
  const net = new RegionNetwork(field);
  net.build(table, ids, 8);
  const patch = new Patch(net);
  patch.begin(min, size, direction);
  return patch;
}
