import { Command, InvalidArgumentError, Option } from 'commander';
import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { exactType } from '../format/encode-field.ts';
import { listFields, type NsdfMesh, type NsdfNode, type NsdfScene } from '../format/scene.ts';
import { writeNsdfHashed } from '../format/write.ts';
import { type PackedDetail, packPartition } from '../pipeline/packed-partitions.ts';
import { type PackedField, type PackFieldOptions, packField } from '../train/index.ts';
import { openFieldDestination } from './destination.ts';
import { checkEffort } from './effort.ts';
import { type ReadingOptions, readScene } from './files.ts';
import {
  formatBytes,
  plural,
  positiveNumber,
  printJson,
  printLines,
  startProgress,
  wholeNumber,
} from './output.ts';

/** Bytes by which the padding of a file's two chunks may differ. */
const ALIGNMENT = 8;

/**
 * Steps that make sense, as shares of the domain's longest side: those that `packField` searches. Bunny-S (2026-11-30) takes 6 s up to 5e-3
 * of it, 20 s at 1e-2, 2.5 minutes at 2.5e-2, and does not end with larger ones; finer ones become what the codec has.
 */
const STEP_SHARES = { least: 1e-6, most: 1e-2 } as const;

interface PackOptions extends ReadingOptions {
  readonly compact?: boolean;
  readonly error?: number;
  readonly maxBytes?: number;
  readonly step?: number;
  readonly mlp?: 'f16' | 'f32';
  readonly partition?: boolean;
  readonly tolerance?: readonly number[];
  readonly exact?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `nsdf pack --compact IN.nsdf OUT.nsdf`: writes a file smaller; `--partition`: with what its fields' derivations find in it. */
export function packCommand(): Command {
  return new Command('pack')
    .description(
      'make a .nsdf compact, or put what a derivation finds (its partition) into it, so that loaders need not derive it again',
    )
    .argument('<in>', 'a .nsdf, .glb or .safetensors; - for standard input')
    .argument('<out>', 'the .nsdf or .glb to write; - for standard output')
    .option(
      '--compact',
      'round grid tables to whole steps, drop entries that the surface does not need, and code them',
    )
    .addOption(
      new Option(
        '--error <length>',
        'with --compact: at most this mean distance between the surfaces before and after',
      )
        .argParser(positiveNumber)
        .conflicts(['maxBytes', 'step']),
    )
    .addOption(
      new Option('--max-bytes <n>', 'with --compact: a file of at most so many bytes, of one field')
        .argParser(wholeNumber)
        .conflicts(['step', 'partition']),
    )
    .option(
      '--step <length>',
      "with --compact: what values are rounded to, as a distance: 1e-6 to 0.01 of the domain's longest side",
      positiveNumber,
    )
    .addOption(
      new Option(
        '--mlp <type>',
        "with --compact: how the network's weights are stored (default: f16)",
      ).choices(['f16', 'f32']),
    )
    .option('--partition', 'put partitions in; without it those that are there are taken out')
    .option(
      '--tolerance <length>',
      'pack the surface at this tolerance, in local units; may be given several times (default: the tolerance that loaders take)',
      addTolerance,
    )
    .option('--exact', 'pack the whole polyhedral complex, too')
    .option('--force', 'derive even where an estimate says that time or memory will not do')
    .option('--json', 'print one JSON object instead of text')
    .action(runPack);
}

/** Each value of a repeated option; commander gives them one by one. */
function addTolerance(text: string, others: readonly number[] = []): readonly number[] {
  const tolerance = positiveNumber(text);
  if (others.includes(tolerance)) throw new InvalidArgumentError(`${text} is given twice`);
  return [...others, tolerance];
}

async function runPack(input: string, output: string, options: PackOptions): Promise<void> {
  if (!options.partition && (options.tolerance || options.exact)) {
    throw new NsdfArgumentError('partition', '--tolerance and --exact need --partition');
  }
  const { compact, error, maxBytes, step, mlp } = options;
  const asked = { error, 'max-bytes': maxBytes, step, mlp };
  const stray = Object.entries(asked).find(([, value]) => value !== undefined);
  if (!compact && stray) throw new NsdfArgumentError('compact', `--${stray[0]} needs --compact`);
  const destination = await openFieldDestination(output);
  const scene = await readScene(input, options);
  const assets = [...new Set(listFields(scene).map(({ field }) => field.asset))];
  if (maxBytes !== undefined && assets.length > 1) {
    throw new NsdfArgumentError('max-bytes', `${input} has ${assets.length} fields: give --error or --step`);
  }
  if (step !== undefined) for (const asset of assets) expectStep(asset, step);
  const limit = maxBytes === undefined ? {} : { bytesBeside: await bytesBesideField(scene) };
  const packed = new Map<FieldAsset, FieldAsset>();
  const compacted: CompactReport[] = [];
  for (const asset of assets) {
    const found = compact ? await compactField(asset, { ...options, ...limit }) : null;
    if (found) compacted.push(found.report);
    packed.set(asset, await withPartition(found?.asset ?? asset, options));
  }
  const dtype = exactType([...packed.values()]);
  const bytes = await writeNsdfHashed(withAssets(scene, packed), { dtype });
  await destination.write(bytes);
  const records = [...packed.values()].flatMap(({ name, partitions = [] }) =>
    partitions.map(({ kind, bytes: record }) => ({ field: name, kind, bytes: record.length })),
  );
  const { report } = destination;
  if (options.json) {
    const fields = compact ? { compact: compacted } : {};
    return printJson({ input, output, bytes: bytes.length, dtype, ...fields, partitions: records }, report);
  }
  const lines = [
    ...compacted.map((each) => {
      const { field, error: distance, step: length, nKept, nEntries } = each;
      const lost = `${distance.toExponential(2)} from the surface before`;
      return `  ${field}: ${lost}, in steps of ${length.toExponential(2)}, ${nKept} of ${plural(nEntries, 'entry', 'entries')} kept`;
    }),
    ...records.map(({ field, kind, bytes: n }) => `  ${field}: ${kind}, ${formatBytes(n)}`),
  ];
  printLines([`${output}: ${formatBytes(bytes.length)}, ${dtype}`, ...lines], report);
}

/** @throws {NsdfArgumentError} if a field's values cannot be rounded to a step, or nothing of it would be left. */
function expectStep({ name, domain: { min, max } }: FieldAsset, step: number): void {
  const side = Math.max(...min.map((low, k) => max[k] - low));
  const [least, most] = [STEP_SHARES.least * side, STEP_SHARES.most * side].map((x) =>
    Number(x.toPrecision(3)),
  );
  if (step >= least && step <= most) return;
  const why =
    step > most
      ? 'coarser ones leave no surface worth the name'
      : 'finer ones are none: values are stored with 24 bits';
  throw new NsdfArgumentError('step', `--step is ${step}, expected ${least} to ${most} for ${name}: ${why}`);
}

/** The most bytes by which a file of a scene with one field is longer than one of the field alone, however they are stored. */
export async function bytesBesideField(scene: NsdfScene): Promise<number> {
  const [{ field }] = listFields(scene);
  const { partitions: _, ...bare } = field.asset;
  const whole = await writeNsdfHashed(withAssets(scene, new Map([[field.asset, bare]])));
  return whole.length - (await writeNsdfHashed(bare)).length + ALIGNMENT;
}

async function withPartition(
  asset: FieldAsset,
  { partition, tolerance, exact, force = false }: PackOptions,
): Promise<FieldAsset> {
  if (!partition) {
    const { partitions: _taken, ...bare } = asset;
    return bare;
  }
  const details: PackedDetail[] = (tolerance ?? []).map((length) => ({ tolerance: length }));
  if (exact) details.push({ exact });
  for (const detail of details) await checkEffort(asset, { ...detail, force });
  const bar = startProgress(asset.name);
  const asked = details.length === 0 ? [{}] : details;
  return packPartition(asset, asked, bar.update).finally(bar.stop);
}

/** What `--compact` tells of a field. */
interface CompactReport extends Pick<PackedField, 'step' | 'error' | 'nKept' | 'nEntries'> {
  readonly field: string;
}

async function compactField(
  asset: FieldAsset,
  { error, maxBytes, bytesBeside, step, mlp }: PackOptions & Pick<PackFieldOptions, 'bytesBeside'>,
): Promise<{ readonly asset: FieldAsset; readonly report: CompactReport }> {
  const bar = startProgress(asset.name);
  const packed = await packField(asset, {
    ...(error === undefined ? {} : { error }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(bytesBeside === undefined ? {} : { bytesBeside }),
    ...(step === undefined ? {} : { step }),
    ...(mlp === undefined ? {} : { mlp }),
    onProgress: bar.update,
  }).finally(bar.stop);
  const { step: found, error: measured, nKept, nEntries } = packed;
  return {
    asset: packed.asset,
    report: { field: asset.name, step: found, error: measured, nKept, nEntries },
  };
}

/** The scene with other assets; what was shared stays shared. */
function withAssets(scene: NsdfScene, assets: ReadonlyMap<FieldAsset, FieldAsset>): NsdfScene {
  const meshes = new Map<NsdfMesh, NsdfMesh>();
  const meshOf = (mesh: NsdfMesh): NsdfMesh => {
    const known = meshes.get(mesh);
    if (known) return known;
    const fields = mesh.fields.map((field) => ({ ...field, asset: assets.get(field.asset) ?? field.asset }));
    meshes.set(mesh, { ...mesh, fields });
    return meshOf(mesh);
  };
  const nodeOf = (node: NsdfNode): NsdfNode => ({
    ...node,
    mesh: node.mesh && meshOf(node.mesh),
    children: node.children.map(nodeOf),
  });
  return { ...scene, nodes: scene.nodes.map(nodeOf) };
}
