import type { Box3, FieldAsset } from '../../src/format/asset.ts';
import type { JobOptions } from '../../src/pipeline/steps.ts';
import { blobMlp, randomField, randomMlp } from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';

/** A field and the way to ask for its mesh, both of one seed. */
export interface SeededCase {
  readonly name: string;
  readonly asset: FieldAsset;
  readonly options: JobOptions;
}

const WIDTHS = [[4], [8, 8], [8, 8, 8], [16, 16], [12, 4, 12], [8, 8, 8, 8]] as const;

/**
 * Untrained fields whose surfaces mostly leave the domain: plain networks and hash grids of several shapes, in domains that
 * are no cubes and whose bounds single precision does not have; derived whole or in a region, at coarse and fine tolerances.
 */
export function seededCase(seed: number): SeededCase {
  const random = seededRandom(seed * 7919 + 13);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const domain = pick<() => Box3>([
    () => ({ min: [-1, -1, -1], max: [1, 1, 1] }),
    () => oddBox(random, 1),
    () => oddBox(random, 0.013),
    () => oddBox(random, 40),
  ])();
  const inputSpace = 'unit' as const;
  const widths = [...pick(WIDTHS)];
  const [kind, asset] = pick<() => [string, FieldAsset]>([
    () => ['plain', randomMlp(seed, widths, { domain, inputSpace, hasBias: random() < 0.8 })],
    () => ['plain', randomMlp(seed, widths, { domain, inputSpace })],
    () => ['blob', blobMlp(seed, widths)],
    () => ['grid', randomField(seed, gridShape(random, domain, [2 + Math.floor(random() * 8)]))],
    () => ['hashed', randomField(seed, { ...gridShape(random, domain, widths), T: 5 })],
  ])();
  const extent = [0, 1, 2].map((k) => asset.domain.max[k] - asset.domain.min[k]);
  const diagonal = Math.hypot(...extent);
  const detail = pick<() => JobOptions>([
    () => ({ tolerance: diagonal * 10 ** between(random, -3.2, -1.4) }),
    () => ({ tolerance: diagonal * 10 ** between(random, -3.2, -1.4) }),
    () => ({ resolution: 4 + Math.floor(random() * 16) }),
    () => ({ exact: true }),
  ])();
  const region = random() < 0.25 ? { region: partOf(asset.domain, random) } : {};
  const options = { ...detail, ...region };
  return { name: `seed ${seed}: ${kind} ${widths}, ${JSON.stringify(options)}`, asset, options };
}

function oddBox(random: () => number, size: number): Box3 {
  const sides = [0, 1, 2].map(() => size * between(random, 0.6, 2));
  const [x, y, z] = sides.map((side) => -side * random());
  return { min: [x, y, z], max: [x + sides[0], y + sides[1], z + sides[2]] };
}

function gridShape(random: () => number, domain: Box3, layers: readonly number[]) {
  const base = 2 + Math.floor(random() * 2);
  return {
    L: 2,
    F: random() < 0.5 ? 1 : 2,
    base,
    finest: base + 2 + Math.floor(random() * 5),
    layers,
    domain,
    roughness: between(random, 0.2, 0.8),
  };
}

function partOf({ min, max }: Box3, random: () => number): Box3 {
  const at = (k: number): [number, number] => {
    const low = min[k] + (max[k] - min[k]) * between(random, -0.1, 0.5);
    return [low, low + (max[k] - min[k]) * between(random, 0.3, 0.7)];
  };
  const [x, y, z] = [at(0), at(1), at(2)];
  return { min: [x[0], y[0], z[0]], max: [x[1], y[1], z[1]] };
}
