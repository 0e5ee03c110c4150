import { NsdfArgumentError } from '../../errors.ts';
import { GLB } from './glb.ts';
import type { MeshFormat } from './mesh-data.ts';
import { OBJ } from './obj.ts';
import { PLY } from './ply.ts';
import { STL } from './stl.ts';

export type { MeshData, MeshFormat } from './mesh-data.ts';

const FORMATS: Readonly<Record<string, MeshFormat>> = { glb: GLB, obj: OBJ, ply: PLY, stl: STL };

/** The names of the formats that meshes are read from and written to. */
export const MESH_FORMATS: readonly string[] = Object.keys(FORMATS);

/**
 * The format of a mesh: the one that is named, else the one that its path ends in; GLB for standard input and output.
 * @throws {NsdfArgumentError} if it is none of ours.
 */
export function meshFormatOf(path: string, name?: string): MeshFormat {
  const ending = /\.([^./\\]+)$/.exec(path)?.[1].toLowerCase() ?? '';
  const chosen = name ?? (path === '-' ? 'glb' : ending);
  if (Object.hasOwn(FORMATS, chosen)) return FORMATS[chosen];
  throw new NsdfArgumentError(
    'mesh',
    `${path}: expected a name that ends in .glb, .ply, .obj or .stl, or --format`,
  );
}
