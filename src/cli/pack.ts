import { Command, InvalidArgumentError } from 'commander';
import { NsdfArgumentError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { isExactAs } from '../format/encode-field.ts';
import type { WeightType } from '../format/extension.ts';
import { listFields } from '../format/instances.ts';
import type { NsdfMesh, NsdfNode, NsdfScene } from '../format/scene.ts';
import { writeNsdfHashed } from '../format/write.ts';
import { type PackedDetail, packPartition } from '../pipeline/pack-partition.ts';
import { expectNsdfName } from './convert.ts';
import { openDestination } from './destination.ts';
import { checkEffort } from './effort.ts';
import { type ReadingOptions, readScene } from './files.ts';
import { formatBytes, positiveNumber, printJson, printLines } from './output.ts';
import { startProgress } from './progress.ts';

interface PackOptions extends ReadingOptions {
  readonly partition?: boolean;
  readonly tolerance?: readonly number[];
  readonly exact?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `nsdf pack --partition IN.nsdf OUT.nsdf`: writes a file with what its fields' derivations find in it. */
export function packCommand(): Command {
  return new Command('pack')
    .description(
      'put what a derivation finds (its partition) into a .nsdf, so that loaders need not derive it again',
    )
    .argument('<in>', 'a .nsdf, .glb or .safetensors; - for standard input')
    .argument('<out>', 'the .nsdf or .glb to write; - for standard output')
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
  expectNsdfName(output);
  if (!options.partition && (options.tolerance || options.exact)) {
    throw new NsdfArgumentError('partition', '--tolerance and --exact need --partition');
  }
  const destination = await openDestination(output);
  const scene = await readScene(input, options);
  const packed = new Map<FieldAsset, FieldAsset>();
  for (const { field } of listFields(scene)) {
    if (!packed.has(field.asset)) packed.set(field.asset, await packField(field.asset, options));
  }
  const dtype: WeightType = [...packed.keys()].every((asset) => isExactAs(asset, 'f16')) ? 'f16' : 'f32';
  const bytes = await writeNsdfHashed(withAssets(scene, packed), { dtype });
  await destination.write(bytes);
  const records = [...packed.values()].flatMap(({ name, partitions = [] }) =>
    partitions.map(({ kind, bytes: record }) => ({ field: name, kind, bytes: record.length })),
  );
  const { report } = destination;
  if (options.json) {
    return printJson({ input, output, bytes: bytes.length, dtype, partitions: records }, report);
  }
  const lines = records.map(({ field, kind, bytes: n }) => `  ${field}: ${kind}, ${formatBytes(n)}`);
  printLines([`${output}: ${formatBytes(bytes.length)}, ${dtype}`, ...lines], report);
}

async function packField(
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
