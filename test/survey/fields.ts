import type { Box3, FieldAsset, MlpLayer, Vec3 } from '../../src/format/asset.ts';
import type { JobOptions } from '../../src/pipeline/steps.ts';
import {
  blobMlp,
  plainMlp,
  randomField,
  randomMlp,
  sampledField,
  withFineLevels,
} from '../fixtures/fields.ts';
import { centred, layer, randomLayers } from '../fixtures/mlp-parts.ts';
import { between, seededRandom } from '../fixtures/random.ts';

/** A field, what to ask of it, and what made both. */
export interface SurveyField {
  readonly kind: string;
  readonly asset: FieldAsset;
  readonly options: JobOptions & { readonly tolerance: number };
}

type Random = () => number;

const WIDTHS = [[6], [8, 8], [8, 8, 8], [16, 16], [12, 4, 12]] as const;
const KINDS = {
  plain: (seed, random) => randomMlp(seed, pick(random, WIDTHS), { domain: someBox(random) }),
  difference: (seed) => differenceOf(seed),
  scaled: (seed, random) => scaledWeights(seed, random),
  blob: (seed, random) => blobMlp(seed, pick(random, WIDTHS)),
  grid: (seed, random) => randomField(seed, gridShape(random, 12)),
  hashed: (seed, random) => randomField(seed, gridShape(random, 4 + Math.floor(random() * 3))),
  colliding: (seed, random) => randomField(seed, { ...gridShape(random, 3), L: 3 }),
  wedge: (_seed, random) => wedge(random),
  sheets: (_seed, random, tolerance) => plateMlp(random, tolerance),
  shell: (_seed, random, tolerance) => shellField(random, tolerance),
  lens: (_seed, random) => lensField(random),
  fine: (seed, random, tolerance) => fineField(seed, random, tolerance),
} satisfies Record<string, (seed: number, random: Random, tolerance: number) => FieldAsset>;

export const SURVEY_KINDS = Object.keys(KINDS) as readonly (keyof typeof KINDS)[];

/** The field of a seed and of a kind, of which there is one after the other: untrained, acute, thin, colliding. */
export function surveyField(seed: number, kind = SURVEY_KINDS[seed % SURVEY_KINDS.length]): SurveyField {
  const random = seededRandom(seed * 104729 + 71);
  const share = 10 ** between(random, -3, -1.6);
  const asset = KINDS[kind](seed, random, share * Math.sqrt(12));
  const { min, max } = asset.domain;
  return { kind, asset, options: { tolerance: share * Math.hypot(...min.map((low, k) => max[k] - low)) } };
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)];
}

function someBox(random: Random): Box3 {
  if (random() < 0.5) return { min: [-1, -1, -1], max: [1, 1, 1] };
  const sides = [0, 1, 2].map(() => between(random, 0.6, 2));
  const [x, y, z] = sides.map((side) => -side * random());
  return { min: [x, y, z], max: [x + sides[0], y + sides[1], z + sides[2]] };
}

function gridShape(random: Random, T: number) {
  const base = 2 + Math.floor(random() * 3);
  return {
    L: 1 + Math.floor(random() * 3),
    F: 1 + Math.floor(random() * 2),
    T,
    base,
    finest: base + 1 + Math.floor(random() * 6),
    layers: pick(random, [[4], [6], [8, 8], [16], [12, 12]]),
    domain: someBox(random),
    roughness: between(random, 0.2, 0.9),
  };
}

function differenceOf(seed: number): FieldAsset {
  const asset = plainMlp('difference', randomLayers(seed, [3, 8, 8, 8, 2]));
  const difference = { ...asset, output: { plus: 1, minus: 0 }, isNegativeInside: false };
  return { ...centred(difference, seed + 1), isNegativeInside: true };
}

/** Rows of very different length: creases that hardly bend beside such that turn the surface back. */
function scaledWeights(seed: number, random: Random): FieldAsset {
  const layers = randomLayers(seed, [3, ...pick(random, WIDTHS), 1]).map((part, index, all) => {
    if (index === all.length - 1) return part;
    const scales = Array.from({ length: part.nOut }, () => 10 ** between(random, -1.2, 1.2));
    const weights = part.weights.map((w, i) => w * scales[Math.floor(i / part.nIn)]);
    return { ...part, weights, bias: part.bias?.map((b, row) => b * scales[row]) ?? null };
  });
  return centred(plainMlp(`scaled-${seed}`, layers), seed + 1);
}

function direction(random: Random): Vec3 {
  for (;;) {
    const [x, y, z] = [0, 1, 2].map(() => between(random, -1, 1));
    const length = Math.hypot(x, y, z);
    if (length > 0.1 && length < 1) return [x / length, y / length, z / length];
  }
}

/** max(a, b) of two planes that are nearly parallel and face away from one another: an edge of a few degrees. */
function wedge(random: Random): FieldAsset {
  const n = direction(random);
  const across = direction(random);
  const angle = 10 ** between(random, -2, -0.3);
  const m = n.map((x, k) => -x + angle * across[k]);
  const place = [0, 1, 2].map(() => between(random, -0.4, 0.4));
  const a = n.reduce((sum, x, k) => sum + x * place[k], 0);
  const b = m.reduce((sum, x, k) => sum + x * place[k], 0);
  const negated = n.map((x) => -x);
  const difference = m.map((x, k) => x - n[k]);
  return plainMlp('wedge', [layer([n, negated, difference], [-a, a, a - b]), layer([[1, -1, 1]], [0])]);
}

/** A bent plate, thinner or thicker than a few tolerances: |g| - w of a plane that two neurons bend. */
function plateMlp(random: Random, tolerance: number): FieldAsset {
  const thickness = tolerance * 10 ** between(random, -0.7, 0.7);
  const n = direction(random);
  const bends = [direction(random), direction(random)];
  const at = bends.map(() => between(random, -0.5, 0.5));
  const weights = bends.map(() => between(random, -0.8, 0.8));
  const a = between(random, -0.2, 0.2);
  const negated = n.map((x) => -x);
  return plainMlp('plate', [
    layer([n, negated, ...bends], [-a, a, ...at]),
    layer(
      [
        [1, -1, ...weights],
        [-1, 1, ...weights.map((w) => -w)],
      ],
      [0, 0],
    ),
    layer([[1, 1]], [-thickness / 2]),
  ]);
}

/** max(a, b) of two features, or |a| - w of one. */
const MAX: readonly MlpLayer[] = [
  layer(
    [
      [1, -1],
      [0, 1],
      [0, -1],
    ],
    [0, 0, 0],
  ),
  layer([[1, 1, -1]], [0]),
];

/** The shell between two spheres of a grid, as thin as a few tolerances. */
function shellField(random: Random, tolerance: number): FieldAsset {
  const thickness = tolerance * 10 ** between(random, -0.5, 0.8);
  const radius = between(random, 0.3, 0.7);
  const center = [0, 1, 2].map(() => between(random, -0.2, 0.2));
  const distance = (p: Vec3) => Math.hypot(...p.map((x, k) => x - center[k])) - radius;
  return sampledField([distance], [layer([[1], [-1]], [0, 0]), layer([[1, 1]], [-thickness / 2])], {
    name: 'shell',
    cells: cellsOf(random),
  });
}

/** What two spheres of a grid have in common: a curved edge, often acute. */
function lensField(random: Random): FieldAsset {
  const spheres = [0, 1].map((i) => {
    const radius = between(random, 0.5, 1.2);
    const n = direction(random).map((x) => x * (i === 0 ? radius - between(random, 0.03, 0.4) : 0));
    return { radius, n };
  });
  const axis = spheres[0].n;
  const size = Math.hypot(...axis) || 1;
  const other = axis.map((x) => (-x / size) * (spheres[1].radius - between(random, 0.03, 0.4)));
  const distances = [axis, other].map(
    (center, i) => (p: Vec3) => Math.hypot(...p.map((x, k) => x - center[k])) - spheres[i].radius,
  );
  return sampledField(distances, MAX, { name: 'lens', cells: cellsOf(random) });
}

/** Another field with levels finer than the tolerance, which move its surface by a share of that, or by more. */
function fineField(seed: number, random: Random, tolerance: number): FieldAsset {
  const makers = [
    () => randomField(seed, gridShape(random, 14)),
    () => lensField(random),
    () => shellField(random, tolerance),
  ];
  const cells = pick(random, [[70], [90], [40, 80], [48, 96]]);
  return withFineLevels(pick(random, makers)(), seed, {
    cells,
    amplitude: tolerance * 10 ** between(random, -1.5, 0.5),
  });
}

function cellsOf(random: Random): readonly number[] {
  return pick(random, [[3], [4, 8], [5], [6, 11], [3, 6, 12]]);
}
