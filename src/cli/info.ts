import { Command } from 'commander';
import type { Box3, FieldAsset } from '../format/asset.ts';
import { tablesOf } from '../format/encodings.ts';
import { contentHash } from '../format/hash.ts';
import { listFields, type NsdfFieldInstance } from '../format/scene.ts';
import { type FieldQuality, measureQuality } from '../pipeline/measure-quality.ts';
import type { Spread } from '../surface/check.ts';
import { type ReadingOptions, readBytes, readSelfContained, sceneIn } from './files.ts';
import { columns, formatBytes, plural, printJson, printLines } from './output.ts';

/** `nsdf info A.nsdf`: what fields a file holds. */
export function infoCommand(): Command {
  return new Command('info')
    .description('say what a .nsdf or .safetensors holds: fields, networks, domains, sizes')
    .argument('<file>', 'a .nsdf, .glb or .safetensors; - for standard input')
    .option('--quality', 'measure flatness and eikonal error near each surface: takes a derivation')
    .option('--json', 'print one JSON object instead of text')
    .action(async (path: string, options: ReadingOptions & { json?: boolean; quality?: boolean }) => {
      const bytes = await readBytes(path);
      const nBytes = bytes.length;
      const scene = sceneIn(path, await readSelfContained(path, options, bytes));
      const fields: FieldInfo[] = [];
      for (const instance of listFields(scene)) {
        const quality = options.quality ? { quality: await measureQuality(instance.field.asset) } : {};
        fields.push({ ...(await describeField(instance)), ...quality });
      }
      const file = { file: path, bytes: nBytes, copyright: scene.copyright, generator: scene.generator };
      if (options.json) return printJson({ ...file, fields });
      printLines([
        `${path}: ${formatBytes(nBytes)}, ${plural(fields.length, 'field')}`,
        ...(scene.copyright === null ? [] : [`  ${scene.copyright}`]),
        ...fields.flatMap(fieldLines),
      ]);
    });
}

type FieldInfo = Awaited<ReturnType<typeof describeField>> & { readonly quality?: FieldQuality };

async function describeField({ field, nodeName, matrixWorld }: NsdfFieldInstance) {
  const { asset, fallback } = field;
  return {
    name: asset.name,
    node: nodeName,
    matrixWorld,
    encoding: describeEncoding(asset),
    layers: [asset.layers[0].nIn, ...asset.layers.map(({ nOut }) => nOut)],
    hasBias: asset.layers.some(({ bias }) => bias !== null),
    output: asset.output,
    isNegativeInside: asset.isNegativeInside,
    valueScale: asset.valueScale,
    domain: asset.domain,
    region: asset.region ?? null,
    tolerance: asset.tolerance ?? null,
    nParameters: countParameters(asset),
    fallbackTriangles: fallback === null ? 0 : fallback.indices.length / 3,
    sha256: await contentHash(asset),
    storedSha256: field.sha256,
  };
}

function describeEncoding({ encoding }: FieldAsset) {
  if (encoding.kind === 'none') return encoding;
  const { kind, convention, nFeaturesPerLevel, log2HashmapSize } = encoding;
  const levels = encoding.levels.map(({ resolution, scale, nEntries, isDense }) => ({
    resolution,
    scale,
    nEntries,
    isDense,
  }));
  return { kind, convention, nFeaturesPerLevel, log2HashmapSize, levels };
}

function countParameters({ encoding, layers }: FieldAsset): number {
  const inLayers = layers.reduce((n, { weights, bias }) => n + weights.length + (bias?.length ?? 0), 0);
  return tablesOf(encoding).reduce((n, table) => n + table.length, inLayers);
}

function fieldLines(field: FieldInfo): string[] {
  const { encoding, domain, region, tolerance } = field;
  const grid =
    encoding.kind === 'none'
      ? [`none (${encoding.inputSpace} coordinates)`]
      : [
          `${encoding.kind} (${encoding.convention}), ${encoding.nFeaturesPerLevel} features a level`,
          ...encoding.levels.map(
            (level) =>
              `${level.isDense ? 'dense' : 'hashed'} ${level.resolution}³, ${level.nEntries} entries`,
          ),
        ];
  return [
    `${field.name}${field.node === field.name ? '' : ` (node ${field.node || 'without name'})`}`,
    ...columns([
      ...grid.map((line, i): [string, string] => [i === 0 ? 'encoding' : '', line]),
      ['network', `${field.layers.join('-')}${field.hasBias ? '' : ', no bias'}`],
      ['domain', formatBox(domain)],
      ...(region ? [['region', formatBox(region)] as const] : []),
      ...(tolerance === null ? [] : [['tolerance', `${tolerance}`] as const]),
      ['inside', field.isNegativeInside ? 'negative' : 'positive'],
      ['parameters', `${field.nParameters}`],
      ['fallback', field.fallbackTriangles === 0 ? 'none' : plural(field.fallbackTriangles, 'triangle')],
      ['sha256', `${field.sha256}${hashNote(field)}`],
      ...(field.quality === undefined ? [] : qualityRows(field.quality)),
    ]),
  ];
}

function qualityRows({ flatness, eikonal, band }: FieldQuality): [string, string][] {
  if (eikonal.n === 0) return [['quality', 'the field has no zero set in its domain']];
  const text = ({ mean, p99, max, n }: Spread, of: string): string => {
    const [a, b, c] = [mean, p99, max].map((x) => x.toExponential(2));
    return `mean ${a}, 99 % ${b}, max ${c} (${n} ${of})`;
  };
  return [
    ['flatness error', text(flatness, 'pieces')],
    ['eikonal error', text(eikonal, `points within ${band.toPrecision(2)} of the surface`)],
  ];
}

function formatBox({ min, max }: Box3): string {
  return `[${min.join(', ')}] to [${max.join(', ')}]`;
}

function hashNote({ sha256, storedSha256 }: FieldInfo): string {
  if (storedSha256 === null) return ' (not stored)';
  return sha256 === storedSha256 ? '' : ` (the file says ${storedSha256})`;
}
