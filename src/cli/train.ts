import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { FieldAsset } from '../format/asset.ts';
import type { NsdfScene } from '../format/scene.ts';
import { sceneOf, writeNsdfHashed } from '../format/write.ts';
import { packField, TRAIN_PRESETS, type TrainOptions, trainField } from '../train/index.ts';
import { type DawnDevice, openDawn } from './dawn.ts';
import { openFieldDestination } from './destination.ts';
import { type ReadingOptions, readTriangles } from './files.ts';
import { startNodeTrainWorker } from './node-workers.ts';
import { formatBytes, positiveNumber, printJson, printLines, startProgress, wholeNumber } from './output.ts';
import { bytesBesideField } from './pack.ts';
import { type PackedTraining, packTrained } from './pack-trained.ts';
import { measureTraining, reportLines } from './train-report.ts';

interface TrainCommandOptions extends ReadingOptions {
  readonly preset: keyof typeof TRAIN_PRESETS;
  readonly steps?: number;
  readonly levels?: readonly number[];
  readonly features?: number;
  readonly hidden?: readonly number[];
  readonly eikonal?: number;
  readonly planarity?: number;
  readonly seconds?: number;
  readonly error?: number;
  readonly seed: number;
  readonly workers?: number;
  readonly backend: 'auto' | 'cpu' | 'gpu' | 'webgpu';
  readonly name?: string;
  readonly copyright?: string;
  readonly colour: boolean;
  readonly dtype: 'f32' | 'f16' | 'compact';
  readonly maxBytes?: number;
  readonly json?: boolean;
}

/** `nsdf train IN… OUT.nsdf`: trains a field on meshes and says how near it came. */
export function trainCommand(): Command {
  return new Command('train')
    .description(
      'train a field on triangle meshes (.glb, .gltf, .ply, .obj, .stl), read as one, and write it as .nsdf',
    )
    .argument('<files...>', 'the meshes, then the .nsdf to write')
    .addOption(
      new Option(
        '--preset <name>',
        'fast: a tenth of the steps; best: half as many more, on a finer grid, in twice the time',
      )
        .choices(Object.keys(TRAIN_PRESETS))
        .default('default'),
    )
    .option('--steps <n>', 'how many steps to train (default: the preset’s)', wholeNumber)
    .option('--levels <boxes,...>', 'boxes along the domain for each grid level, coarse to fine', numberList)
    .option('--features <n>', 'features a grid level', wholeNumber)
    .option('--hidden <widths,...>', 'widths of the hidden layers', numberList)
    .option(
      '--eikonal <weight>',
      'weight of the eikonal loss, which asks for slopes of 1 (default: 0)',
      weight,
    )
    .option(
      '--planarity <weight>',
      'weight of the loss that flattens boxes: fewer vertices, less exact',
      weight,
    )
    .addOption(
      new Option('--seconds <n>', 'train for about that long, everything included')
        .argParser(positiveNumber)
        .conflicts(['steps']),
    )
    .option(
      '--error <length>',
      'train on until the mean distance is below this, in the units of the mesh',
      positiveNumber,
    )
    .option('--seed <n>', 'another seed gives another field of the same kind', wholeNumber, 1)
    .option('--workers <n>', 'threads to train in (default: as many as there are cores)', wholeNumber)
    .addOption(
      new Option(
        '--backend <name>',
        'where the steps are taken; gpu, or webgpu, needs the npm package webgpu to be installed',
      )
        .choices(['auto', 'cpu', 'gpu', 'webgpu'])
        .default('auto'),
    )
    .option('--no-colour', 'leave out the vertex colours and textures of the meshes')
    .option('--name <text>', 'the name of the field (default: that of the first file)')
    .option('--copyright <text>', 'who is to be credited, for the file')
    .addOption(
      new Option(
        '--dtype <type>',
        'how weights are stored; compact: tables rounded and coded, a thirtieth of the bytes, at most a twentieth more error',
      )
        .choices(['f32', 'f16', 'compact'])
        .default('f16'),
    )
    .option('--max-bytes <n>', 'make the field compact: a file of at most so many bytes', wholeNumber)
    .option('--json', 'print one JSON object instead of text')
    .action(runTrain);
}

async function runTrain(files: readonly string[], options: TrainCommandOptions): Promise<void> {
  const output = files[files.length - 1];
  const inputs = files.slice(0, -1);
  if (inputs.length === 0) throw new InvalidArgumentError('expected at least one mesh and the file to write');
  const destination = await openFieldDestination(output);
  const startMs = performance.now();
  const meshes = (await Promise.all(inputs.map((path) => readTriangles(path, options)))).flat();
  const name = options.name ?? (inputs[0] === '-' ? 'field' : basename(inputs[0]).replace(/\.[^.]*$/, ''));
  const dawn = options.backend === 'gpu' || options.backend === 'webgpu' ? await openDawn() : undefined;
  const bar = startProgress(name);
  const training = trainField(meshes, {
    ...trainOptions(options, dawn),
    name,
    onProgress: ({ stage, fraction }) => bar.update({ stage, fraction }),
  });
  const { asset: trained, stats } = await training.finally(() => {
    bar.stop();
    dawn?.close();
  });
  const { copyright, maxBytes } = options;
  const scene = (asset: FieldAsset): NsdfScene =>
    sceneOf(asset, copyright === undefined ? {} : { copyright });
  const { asset, dtype, dtypeReason }: PackedTraining =
    maxBytes !== undefined
      ? await packField(trained, { maxBytes, bytesBeside: await bytesBesideField(scene(trained)) })
      : options.dtype === 'compact'
        ? await packTrained(trained, meshes, stats.errorLocal)
        : { asset: trained, dtype: options.dtype };
  const bytes = await writeNsdfHashed(scene(asset), { dtype });
  await destination.write(bytes);
  const { error } = options;
  const report = {
    ...(await measureTraining(bytes, meshes, stats)),
    ...(error !== undefined && { target: { error, isReached: stats.errorLocal <= error } }),
  };
  const { report: stream } = destination;
  const full = {
    inputs,
    output,
    dtype,
    dtypeReason,
    ...report,
    totalSeconds: (performance.now() - startMs) / 1000,
  };
  if (options.json) printJson(full, stream);
  else {
    const stored = dtypeReason === undefined ? dtype : `${dtype} (${dtypeReason})`;
    printLines([`${output}: ${formatBytes(bytes.length)}, ${stored}`, ...reportLines(report)], stream);
  }
}

function trainOptions(options: TrainCommandOptions, dawn: DawnDevice | undefined): TrainOptions {
  const { preset, steps, levels, features, hidden, eikonal, planarity, seconds, error, seed, workers } =
    options;
  return {
    preset,
    ...(dawn
      ? { backend: 'gpu', device: dawn.device }
      : { backend: options.backend === 'cpu' ? 'cpu' : 'auto' }),
    ...(steps === undefined ? {} : { steps }),
    ...(levels === undefined ? {} : { resolutions: levels }),
    ...(features === undefined ? {} : { nFeaturesPerLevel: features }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(error === undefined ? {} : { targetError: error }),
    weights: {
      ...(eikonal === undefined ? {} : { eikonal }),
      ...(planarity === undefined ? {} : { curvature: planarity }),
    },
    seed,
    nWorkers: workers ?? availableParallelism(),
    createWorker: startNodeTrainWorker,
  };
}

function numberList(text: string): number[] {
  const numbers = text.split(',').map((part) => Number(part));
  if (text.trim() !== '' && numbers.every((n) => n > 0 && Number.isFinite(n))) return numbers;
  throw new InvalidArgumentError('Expected positive numbers, separated by commas.');
}

function weight(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number from 0 on.');
}
