import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import type { NsdfScene } from '../format/scene.ts';
import { sceneOf, writeNsdfHashed } from '../format/write.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import { readField, readScene } from './files.ts';
import { formatBytes, printJson, printLines, wholeNumber } from './output.ts';

interface ConvertOptions {
  readonly dtype: 'f32' | 'f16';
  readonly name?: string;
  readonly copyright?: string;
  readonly fallback?: number;
  readonly json?: boolean;
}

/** `nsdf convert IN.safetensors OUT.nsdf`: packs a trained field, or packs a .nsdf anew. */
export function convertCommand(): Command {
  return new Command('convert')
    .description('pack a trained field (.safetensors) as .nsdf, or a .nsdf anew')
    .argument('<in>')
    .argument('<out>')
    .addOption(new Option('--dtype <type>', 'how weights are stored').choices(['f32', 'f16']).default('f32'))
    .option('--name <text>', "the field's name")
    .option('--copyright <text>', 'who is to be credited')
    .option(
      '--fallback <vertices>',
      'embed a mesh of at most that many vertices for viewers that do not know the extension',
      wholeNumber,
    )
    .option('--json', 'print one JSON object')
    .action(runConvert);
}

async function runConvert(input: string, output: string, options: ConvertOptions): Promise<void> {
  if (!/\.(nsdf|glb)$/i.test(output)) {
    throw new NsdfArgumentError('out', `${output}: expected a name that ends in .nsdf or .glb`);
  }
  const bytes = await writeNsdfHashed(await sceneFor(input, options), { dtype: options.dtype });
  await writeFile(output, bytes);
  if (options.json) printJson({ input, output, bytes: bytes.length, dtype: options.dtype });
  else printLines([`${output}: ${formatBytes(bytes.length)}, ${options.dtype}`]);
}

/** A scene goes through as it is, unless something about its one field is asked for. */
async function sceneFor(input: string, options: ConvertOptions): Promise<NsdfScene> {
  const { name, copyright, fallback } = options;
  const scene = await readScene(input);
  if (name === undefined && fallback === undefined) {
    return copyright === undefined ? scene : { ...scene, copyright };
  }
  const { asset, nFields } = await readField(input);
  if (nFields > 1) {
    throw new NsdfArgumentError(
      'name',
      `${input}: --name and --fallback need a file with one field, it has ${nFields}`,
    );
  }
  const named = name === undefined ? asset : { ...asset, name };
  const credit = copyright ?? scene.copyright;
  return sceneOf(named, {
    ...(fallback === undefined ? {} : { fallback: await fallbackMesh(named, fallback) }),
    ...(credit === null ? {} : { copyright: credit }),
  });
}

async function fallbackMesh(asset: FieldAsset, maxVertices: number) {
  const { mesh, isEmpty } = await deriveMesh(asset, { maxVertices });
  if (!isEmpty) return mesh;
  throw new NsdfArgumentError(
    'fallback',
    `${asset.name} has no zero set in its domain: no fallback can be made`,
  );
}
