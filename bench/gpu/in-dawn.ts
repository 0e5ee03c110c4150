import { basename } from 'node:path';
import { openDawn } from '../../src/cli/dawn.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { shareDevice } from '../../src/gpu/context.ts';
import { collidingField, fieldOf, SCALING_CELLS, scalingCase } from './fields.ts';
import { type GpuRow, type MeasureOptions, measure } from './measure.ts';

export type Settings = Omit<MeasureOptions, 'report'>;

/** Measures a field in Node through Dawn. @param path of a file, or `colliding` for the field with colliding hashes. */
export async function measureInDawn(
  path: string,
  settings: Settings,
  report: (row: GpuRow) => void,
): Promise<GpuRow[]> {
  const asset = path === 'colliding' ? collidingField() : fieldOf(path);
  return inDawn(asset, settings, report);
}

/** Measures balls on one level of 32 to 256 cells: what the surface's boxes cost. */
export async function measureScaling(
  settings: Pick<Settings, 'runs'>,
  report: (row: GpuRow) => void,
): Promise<GpuRow[]> {
  const rows: GpuRow[] = [];
  for (const cells of SCALING_CELLS) {
    const { asset, tolerance } = scalingCase(cells);
    const own = { ...settings, samples: 0, resolutions: [], tolerances: [tolerance], hasCpu: false };
    rows.push(...(await inDawn(asset, own, report)));
  }
  return rows;
}

async function inDawn(
  asset: FieldAsset,
  settings: Settings,
  report: (row: GpuRow) => void,
): Promise<GpuRow[]> {
  const dawn = await openDawn();
  try {
    return await measure(shareDevice(dawn.device), asset, { ...settings, report });
  } finally {
    dawn.close();
  }
}

/** The name of a table of a field. */
export function tableName(path: string): string {
  return basename(path).replace(/\.[^.]*$/, '');
}
