import { NsdfArgumentError } from '../../errors.ts';
import { GLB } from './glb.ts';
import type { MeshFormat } from './mesh-data.ts';
import { OBJ } from './obj.ts';
import { PLY } from './ply.ts';
import { STL } from './stl.ts';

export type { MeshData, MeshFormat } from './mesh-data.ts';

const FORMATS: Readonly<Record<string, MeshFormat>> = { glb: GLB, obj: OBJ, ply: PLY, stl: STL };

/**
 * The format that a path's ending names.
 * @throws {NsdfArgumentError} if it names none of ours.
 */
export function meshFormatOf(path: string): MeshFormat {
  const ending = /\.([^./\\]+)$/.exec(path)?.[1].toLowerCase() ?? '';
  if (Object.hasOwn(FORMATS, ending)) return FORMATS[ending];
  throw new NsdfArgumentError('mesh', `${path}: expected a name that ends in .glb, .ply, .obj or .stl`);
}
