import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { NsdfArgumentError } from '../errors.ts';
import type { WeightType } from '../format/extension.ts';
import { listFields, type NsdfScene } from '../format/scene.ts';
import type { TileJson, TilesetJson } from '../tiles/tileset-json.ts';
import { TILESET_GENERATOR, type TilesetOptions, writeTileset } from '../tiles/write-tileset.ts';
import { expectReplaceable, openFolder, writeOutput } from './destination.ts';
import { type ReadingOptions, readScene } from './files.ts';
import {
  columns,
  formatBytes,
  plural,
  positiveNumber,
  printJson,
  printLines,
  startProgress,
  wholeNumber,
} from './output.ts';

interface TileOptions extends ReadingOptions {
  readonly levels?: number;
  readonly split?: number;
  readonly tolerance?: number;
  readonly ratio?: number;
  readonly fallback?: number;
  readonly dtype: WeightType;
  readonly json?: boolean;
}

/** `nsdf tile IN.nsdf [IN2.nsdf ...] OUTDIR`: a 3D Tiles tileset of one large field, or of many. */
export function tileCommand(): Command {
  return new Command('tile')
    .description('write a 3D Tiles 1.1 tileset of the fields in some .nsdf or .safetensors files')
    .usage('[options] <in...> <outdir>')
    .argument('<paths...>', 'files (- for standard input), and last the folder to write to')
    .option('--levels <n>', 'levels of detail of each field (default: 3)', wholeNumber)
    .option(
      '--split <n>',
      'pieces along the longest axis that a tile is divided into at each level; 1 keeps fields whole (default: 2 for one field, 1 for several)',
      wholeNumber,
    )
    .option(
      '--tolerance <length>',
      "tolerance of the finest level, in local units (default: the file's, else domain diagonal / 3464)",
      positiveNumber,
    )
    .option('--ratio <n>', 'how many times coarser each level is than the next (default: 4)', ratioNumber)
    .option(
      '--fallback <vertices>',
      'embed a mesh of at most that many vertices in every tile, for renderers that do not know the extension',
      wholeNumber,
    )
    .addOption(
      new Option('--dtype <type>', 'how weights are stored: f16 halves the files and rounds them')
        .choices(['f32', 'f16'])
        .default('f32'),
    )
    .option('--json', 'print one JSON object instead of text')
    .action(runTile);
}

function ratioNumber(text: string): number {
  const value = positiveNumber(text);
  if (value > 1) return value;
  throw new InvalidArgumentError('Expected a number above 1.');
}

async function runTile(paths: readonly string[], options: TileOptions): Promise<void> {
  const inputs = paths.slice(0, -1);
  const folder = paths[paths.length - 1];
  if (inputs.length === 0) {
    throw new NsdfArgumentError(
      'paths',
      `${folder}: expected at least one file and then a folder to write to`,
    );
  }
  await openFolder(folder);
  await expectOwnTileset(folder);
  const scenes: NsdfScene[] = [];
  for (const path of inputs) scenes.push(await readScene(path, options));
  const fields = scenes.flatMap(listFields);
  const copyright = [...new Set(scenes.flatMap((scene) => scene.copyright ?? []))].join('; ') || null;
  const start = performance.now();
  const written = { files: 0, bytes: 0 };
  const write = async (path: string, bytes: Uint8Array): Promise<void> => {
    const target = join(folder, path);
    if (/\.glb$/.test(path)) await expectReplaceable(target);
    await openFolder(dirname(target));
    await writeOutput(target, bytes);
    written.files++;
    written.bytes += bytes.length;
  };
  const tileset = await withProgress((onProgress) =>
    writeTileset(fields, write, { ...tilesetOptions(options), copyright, onProgress }),
  );
  report(folder, tileset, { fields: fields.length, ...written, timeMs: performance.now() - start }, options);
}

/**
 * Expects that a folder holds no tileset but those that were written here.
 * @throws {NsdfArgumentError} if another one would be overwritten
 */
async function expectOwnTileset(folder: string): Promise<void> {
  const path = join(folder, 'tileset.json');
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text === '' || generatorOf(text) === TILESET_GENERATOR) return;
  const advice = 'give another folder for the output, or remove that file first';
  throw new NsdfArgumentError('out', `${path}: would be overwritten, and is no tileset of ours: ${advice}`);
}

function generatorOf(text: string): unknown {
  try {
    return (JSON.parse(text) as Partial<TilesetJson> | null)?.asset?.generator;
  } catch {
    return undefined; // no JSON
  }
}

function tilesetOptions({
  json: _,
  allowOutside: _allowOutside,
  levels,
  ...options
}: TileOptions): TilesetOptions {
  return { ...options, ...(levels !== undefined && { nLevels: levels }) };
}

/** A bar for each field's derivation. */
async function withProgress<T>(
  run: (onProgress: NonNullable<TilesetOptions['onProgress']>) => Promise<T>,
): Promise<T> {
  let name: string | null = null;
  let bar: ReturnType<typeof startProgress> | null = null;
  try {
    return await run((fieldName, progress) => {
      if (fieldName !== name) {
        bar?.stop();
        bar = startProgress(fieldName);
        name = fieldName;
      }
      bar?.update(progress);
    });
  } finally {
    (bar as ReturnType<typeof startProgress> | null)?.stop();
  }
}

function report(
  folder: string,
  { root, geometricError }: TilesetJson,
  totals: { fields: number; files: number; bytes: number; timeMs: number },
  { json }: TileOptions,
): void {
  const tiles = listTiles(root).filter(({ content }) => content !== undefined);
  const errors = tiles.map((tile) => tile.geometricError);
  const [finest, coarsest] = [Math.min(...errors), Math.max(...errors)];
  if (json) {
    printJson({ output: folder, tiles: tiles.length, finest, coarsest, geometricError, ...totals });
    return;
  }
  printLines([
    `${folder}: ${plural(tiles.length, 'tile')} of ${plural(totals.fields, 'field')}, ${formatBytes(totals.bytes)}`,
    ...columns([
      ['geometric error', `${coarsest.toPrecision(3)} to ${finest.toPrecision(3)}`],
      ['time', `${totals.timeMs.toFixed(0)} ms`],
    ]),
  ]);
}

function listTiles(tile: TileJson): TileJson[] {
  return [tile, ...(tile.children ?? []).flatMap(listTiles)];
}
