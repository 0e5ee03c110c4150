import { Command, Option } from 'commander';
import { NsdfArgumentError, NsdfUnsupportedError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { listFields, type NsdfScene } from '../format/scene.ts';
import { sceneOf, writeNsdfHashed } from '../format/write.ts';
import { deriveMesh } from '../pipeline/derive.ts';
import { localPositions } from '../surface/mesh.ts';
import { openFieldDestination } from './destination.ts';
import { type ReadingOptions, readScene } from './files.ts';
import { formatBytes, printJson, printLines, wholeNumber } from './output.ts';

interface ConvertOptions extends ReadingOptions {
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
    .argument('<in>', 'a .safetensors, .nsdf or .glb; - for standard input')
    .argument('<out>', 'the .nsdf or .glb to write; - for standard output')
    .addOption(
      new Option('--dtype <type>', 'how weights are stored: f16 halves the file and rounds them')
        .choices(['f32', 'f16'])
        .default('f32'),
    )
    .option('--name <text>', "the field's name (default: the file's)")
    .option('--copyright <text>', 'who is to be credited, for the file')
    .option(
      '--fallback <vertices>',
      'embed a mesh of at most that many vertices for viewers that do not know the extension',
      wholeNumber,
    )
    .option('--json', 'print one JSON object instead of text')
    .action(runConvert);
}

async function runConvert(input: string, output: string, options: ConvertOptions): Promise<void> {
  const destination = await openFieldDestination(output);
  const bytes = await writeNsdfHashed(await sceneFor(input, options), { dtype: options.dtype });
  await destination.write(bytes);
  const { report } = destination;
  if (options.json) printJson({ input, output, bytes: bytes.length, dtype: options.dtype }, report);
  else printLines([`${output}: ${formatBytes(bytes.length)}, ${options.dtype}`], report);
}

/** A scene goes through as it is, unless something about its one field is asked for. */
async function sceneFor(input: string, options: ConvertOptions): Promise<NsdfScene> {
  const { name, copyright, fallback } = options;
  const scene = await readScene(input, options);
  if (name === undefined && fallback === undefined) {
    return copyright === undefined ? scene : { ...scene, copyright };
  }
  const fields = listFields(scene);
  if (fields.length !== 1) {
    throw new NsdfArgumentError(
      'name',
      `${input}: --name and --fallback need a file with one field, it has ${fields.length}`,
    );
  }
  const { asset } = fields[0].field;
  const named = name === undefined ? asset : { ...asset, name };
  const credit = copyright ?? scene.copyright;
  return sceneOf(named, {
    ...(fallback === undefined ? {} : { fallback: await fallbackMesh(named, fallback) }),
    ...(credit === null ? {} : { copyright: credit }),
  });
}

async function fallbackMesh(asset: FieldAsset, maxVertices: number) {
  const { mesh, isEmpty } = await deriveMesh(asset, { maxVertices });
  if (!isEmpty) return { ...mesh, positions: Float32Array.from(localPositions(mesh)) };
  throw new NsdfUnsupportedError(
    'fallback',
    `${asset.name} has no zero set in its domain: no fallback can be made`,
  );
}
