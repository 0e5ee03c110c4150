/**
 * Makes the sample fields of examples/assets, and their rows of the table in its README:
 *   node --import tsx --import ./scripts/wgsl-hooks.mjs scripts/make-samples.ts [--bunny bunny.ply] [--fields FOLDER] [NAME...]
 * Shapes are made in code, but for the bunny, which is read from a mesh. Each is trained, packed, and measured as a file. Trained fields are
 * kept in the folder, where one is given.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Document, NodeIO } from '@gltf-transform/core';
import { blockOf, replaceBlock } from '../bench/results-file.ts';
import { N_TEETH, SAMPLES } from '../examples/train/samples.ts';
import { compressAtError, distancesTo } from '../src/cli/compressed-meshes.ts';
import { readTriangles } from '../src/cli/files.ts';
import type { FieldAsset, Vec3 } from '../src/format/asset.ts';
import { NeuralFieldExtension } from '../src/format/gltf-transform.ts';
import { readField, readNsdf, verifyNsdf } from '../src/format/read.ts';
import type { NsdfMaterial, NsdfMesh, NsdfNode } from '../src/format/scene.ts';
import { DEFAULT_MATERIAL, IDENTITY_NODE, listFields } from '../src/format/scene.ts';
import { sceneOf, writeNsdfHashed } from '../src/format/write.ts';
import { deriveMesh } from '../src/pipeline/derive.ts';
import { checkMesh } from '../src/surface/check.ts';
import { createRandom } from '../src/surface/check-random.ts';
import { sampleMesh } from '../src/surface/distance-samples.ts';
import { localPositions } from '../src/surface/mesh.ts';
import { TriangleTree } from '../src/surface/triangle-tree.ts';
import { type ColoredTriangles, packField, type TrainOptions, trainField } from '../src/train/index.ts';

const ASSETS = new URL('../examples/assets/', import.meta.url);
const README = new URL('README.md', ASSETS);
/** The block of the README that holds the table. */
const TABLE = 'samples';
/** Share of the domain's half side at which meshes are measured. */
const TOLERANCE = 1e-3;
const N_POINTS = 40_000;
const OWN = 'nsdf-loader, MIT';
const BUNNY =
  'Stanford Bunny: Stanford Computer Graphics Laboratory. Neural field: trained by the nsdf-loader project.';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { bunny: { type: 'string' }, fields: { type: 'string' } },
});

/** How a sample is made. */
interface Recipe {
  readonly train: TrainOptions;
  /** Steps of the values, as a share of the domain's side. */
  readonly step: number;
  readonly material: Partial<NsdfMaterial>;
}

/** One feature a level holds thick shapes in half of the bytes; thin ones need two. */
const THICK: TrainOptions = { steps: 2000, nFeaturesPerLevel: 1 };
const QUICK: TrainOptions = { ...THICK, steps: 600 };
/** Fewer neurons cross fewer boxes: with levels of 8, 22.6, 64 the bunny's mesh took half of the time of 16, 16. */
const SOFT: TrainOptions = { ...THICK, steps: 6000, hidden: [16, 8] };
const THIN: TrainOptions = { steps: 1000, nFeaturesPerLevel: 2 };
const MATTE = { metallicFactor: 0, roughnessFactor: 0.65 } as const;
const RECIPES: Readonly<Record<string, Recipe>> = {
  bunny: {
    train: SOFT,
    step: 7e-4,
    material: { ...MATTE, name: 'clay', baseColorFactor: [0.8, 0.76, 0.7, 1] },
  },
  toadstool: {
    train: { ...THICK, color: { resolutions: [10, 28, 72], nFeaturesPerLevel: 1, log2HashmapSize: 19 } },
    step: 5e-4,
    material: MATTE,
  },
  knot: { train: QUICK, step: 5e-4, material: { ...MATTE, baseColorFactor: [0.75, 0.12, 0.1, 1] } },
  gear: {
    train: THICK,
    step: 5e-4,
    material: { roughnessFactor: 0.35, baseColorFactor: [0.56, 0.57, 0.58, 1] },
  },
  links: {
    train: QUICK,
    step: 5e-4,
    material: { roughnessFactor: 0.25, baseColorFactor: [0.9, 0.7, 0.35, 1] },
  },
  multi: { train: THIN, step: 5e-4, material: { ...MATTE, baseColorFactor: [0.3, 0.5, 0.6, 1] } },
  bowl: {
    train: { ...THIN, hidden: [16, 8] },
    step: 5e-4,
    material: { ...MATTE, baseColorFactor: [0.2, 0.36, 0.55, 1] },
  },
};

async function makeField(name: string, mesh: ColoredTriangles): Promise<string> {
  const { train, step, material } = RECIPES[name];
  const asset = await trained(name, mesh, train);
  const { min, max } = asset.domain;
  const packed = await packField(asset, { step: step * (max[0] - min[0]) });
  const scene = sceneOf(packed.asset, {
    material: { ...DEFAULT_MATERIAL, name, ...material },
    copyright: name === 'bunny' ? BUNNY : OWN,
  });
  const bytes = await write(name, await writeNsdfHashed(scene, { dtype: packed.dtype }));
  return rowOf(name, mesh, bytes);
}

async function trained(name: string, mesh: ColoredTriangles, options: TrainOptions): Promise<FieldAsset> {
  const kept = values.fields && `${values.fields}/${name}.nsdf`;
  if (kept && existsSync(kept)) return readField(readFileSync(kept));
  const { asset } = await trainField(mesh, { ...options, name, nWorkers: 0 });
  if (kept) writeFileSync(kept, await writeNsdfHashed(asset));
  return asset;
}

/** What the table says of a file, measured on what is read back from it. */
async function rowOf(name: string, input: ColoredTriangles, bytes: Uint8Array): Promise<string> {
  const asset = readField(bytes);
  const half = (asset.domain.max[0] - asset.domain.min[0]) / 2;
  const derived = await deriveMesh(asset, { tolerance: TOLERANCE * half, cache: false });
  const mesh = { positions: localPositions(derived.mesh), indices: derived.mesh.indices };
  const toInput = distancesTo(new TriangleTree(input), sampleMesh(mesh, N_POINTS, createRandom(2))).mean;
  const fromInput = distancesTo(new TriangleTree(mesh), sampleMesh(input, N_POINTS, createRandom(1))).mean;
  const { isClosed, nComponents } = await checkMesh(derived.mesh, { domain: asset.domain });
  const { meshes } = await compressAtError(input, { toInput, fromInput });
  const rivals = meshes.map((rival) => `${rival.bytes.toLocaleString('en')}`);
  const error = [toInput, fromInput].map((d) => (d / half).toExponential(1)).join(' / ');
  const parts = `${nComponents}, ${isClosed ? 'closed' : 'open'}`;
  const { nVertices, nBoxesUnsettled } = derived.stats;
  const title = asset.attributes ? `${name}, with colours` : name;
  return `| ${[title, bytes.length.toLocaleString('en'), ...inputOf(input), ...rivals, nVertices.toLocaleString('en'), `${nBoxesUnsettled}`, error, parts].join(' | ')} |`;
}

/** The input's own figures: triangles, and bytes of positions and indices under gzip. */
function inputOf({ positions, indices, colors }: ColoredTriangles): string[] {
  const coordinates = colors?.texture?.coordinates ?? new Float32Array(0);
  const raw = [Float32Array.from(positions), coordinates, Uint32Array.from(indices)].map(
    (array) => new Uint8Array(array.buffer),
  );
  const image = colors?.texture?.image.data ?? new Uint8Array(0);
  const gzipped = [...raw, image].reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0);
  return [(indices.length / 3).toLocaleString('en'), gzipped.toLocaleString('en')];
}

/** Two gears that drive each other, and a knot: fields, nodes, materials and an animation. */
async function makeClockwork(): Promise<void> {
  const meshOf = (name: string): NsdfMesh => {
    const asset: FieldAsset = readField(readFileSync(new URL(`${name}.nsdf`, ASSETS)));
    const material = { ...DEFAULT_MATERIAL, name, ...RECIPES[name].material };
    return { name, fields: [{ asset, fallback: null, material, sha256: null }] };
  };
  const gear = meshOf('gear');
  const node = (name: string, mesh: NsdfMesh, translation: Vec3, size: number): NsdfNode => ({
    ...IDENTITY_NODE,
    name,
    mesh,
    translation,
    scale: [size, size, size],
  });
  const scene = {
    name: 'clockwork',
    copyright: OWN,
    generator: null,
    nodes: [
      node('left gear', gear, [-0.81, 0, 0], 1),
      node('right gear', gear, [0.81, 0, 0], 1),
      node('knot', meshOf('knot'), [0, 1.45, 0], 0.5),
    ],
  };
  const io = new NodeIO().registerExtensions([NeuralFieldExtension]);
  const document = await io.readBinary(await writeNsdfHashed(scene, { dtype: 'compact' }));
  // Half a tooth on, so that teeth of one are in gaps of the other.
  addTurn(document, 'left gear', [0, 0, 1], 0, 1);
  addTurn(document, 'right gear', [0, 0, 1], Math.PI / N_TEETH, -1);
  addTurn(document, 'knot', [0, 1, 0], 0, 1);
  const bytes = await write('clockwork', await io.writeBinary(document));
  console.log(`clockwork: ${bytes.length.toLocaleString('en')} bytes`);
}

const TURN_SECONDS = 12;

/** Turns a node about an axis, once in TURN_SECONDS, from an angle on. */
function addTurn(document: Document, name: string, axis: Vec3, start: number, direction: 1 | -1): void {
  const root = document.getRoot();
  const node = root.listNodes().find((each) => each.getName() === name);
  if (!node) throw new Error(`no node ${name}`);
  const [animation = document.createAnimation('turn')] = root.listAnimations();
  const quarters = [0, 1, 2, 3, 4];
  const [buffer = document.createBuffer()] = root.listBuffers();
  const accessor = (type: 'SCALAR' | 'VEC4', values: number[]) =>
    document.createAccessor().setType(type).setArray(Float32Array.from(values)).setBuffer(buffer);
  const rotations = quarters.flatMap((i) => {
    const angle = (start + (direction * i * Math.PI) / 2) / 2;
    return [...axis.map((x) => x * Math.sin(angle)), Math.cos(angle)];
  });
  node.setRotation(rotations.slice(0, 4) as [number, number, number, number]);
  const sampler = document
    .createAnimationSampler()
    .setInput(
      accessor(
        'SCALAR',
        quarters.map((i) => (i * TURN_SECONDS) / 4),
      ),
    )
    .setOutput(accessor('VEC4', rotations));
  const channel = document.createAnimationChannel().setTargetNode(node).setTargetPath('rotation');
  animation.addSampler(sampler).addChannel(channel.setSampler(sampler));
}

/** Puts a sample's row into the table of the README, in the place of the one that it had there. */
function writeRow(name: string, row: string): void {
  const text = readFileSync(README, 'utf8');
  const lines = blockOf(text, TABLE)?.split('\n') ?? [];
  const at = lines.findIndex((line) => line.startsWith(`| ${name} `) || line.startsWith(`| ${name},`));
  if (at < 0) lines.splice(-1, 0, row);
  else lines[at] = row;
  writeFileSync(README, replaceBlock(text, TABLE, lines.join('\n')));
}

async function write(name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const issues = await verifyNsdf(bytes);
  if (issues.length > 0) throw new Error(`${name}: ${JSON.stringify(issues, null, 2)}`);
  if (listFields(readNsdf(bytes)).length === 0) throw new Error(`${name} has no field`);
  writeFileSync(new URL(`${name}.nsdf`, ASSETS), bytes);
  return bytes;
}

const wanted = positionals.length > 0 ? positionals : [...Object.keys(RECIPES), 'clockwork'];
for (const name of wanted) {
  if (name === 'clockwork') await makeClockwork();
  else if (name !== 'bunny') writeRow(name, await makeField(name, SAMPLES[name]()));
  else if (values.bunny) writeRow(name, await makeField(name, (await readTriangles(values.bunny))[0]));
  else console.error('bunny: left as it is; --bunny bunny.ply makes it anew');
}
