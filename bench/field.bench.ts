/**
 * Speed of the field on the CPU, one thread: `npx tsx bench/field.bench.ts`. Medians, and the fastest run beside them:
 * on a machine that others use the two differ.
 */
import { readFile } from 'node:fs/promises';
import { createCpuField } from '../src/field/cpu-field.ts';
import type { FieldAsset } from '../src/format/asset.ts';
import { readNsdf } from '../src/format/read.ts';
import { randomField, randomMlp } from '../test/fixtures/fields.ts';
import { seededRandom } from '../test/fixtures/random.ts';

const N_POINTS = 1 << 13;
const N_BOXES = 100;
const N_RUNS = 41;
const N_WARM_UPS = 10;

interface Timing {
  readonly medianMs: number;
  readonly fastestMs: number;
}

function measure(run: () => void): Timing {
  for (let i = 0; i < N_WARM_UPS; i++) run();
  const times = Array.from({ length: N_RUNS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return { medianMs: times[N_RUNS >> 1], fastestMs: times[0] };
}

function randomPoints({ domain: { min, max } }: FieldAsset): Float64Array {
  const random = seededRandom(1);
  return Float64Array.from(
    { length: N_POINTS * 3 },
    (_, i) => min[i % 3] + random() * (max[i % 3] - min[i % 3]),
  );
}

/** A lattice in rows along x, as an extractor asks for corners. */
function latticePoints({ domain: { min, max } }: FieldAsset): Float64Array {
  const side = Math.round(Math.cbrt(N_POINTS));
  return Float64Array.from({ length: N_POINTS * 3 }, (_, i) => {
    const p = Math.floor(i / 3);
    const step = [p % side, Math.floor(p / side) % side, Math.floor(p / side ** 2) % side][i % 3];
    return min[i % 3] + (step / (side - 1)) * (max[i % 3] - min[i % 3]);
  });
}

function measureField(name: string, asset: FieldAsset): Record<string, string | number> {
  const field = createCpuField(asset);
  const values = new Float64Array(N_POINTS);
  const gradients = new Float64Array(N_POINTS * 3);
  const all = new Float64Array(N_POINTS * (field.nPreActivations + 1));
  const [scattered, lattice] = [randomPoints(asset), latticePoints(asset)];
  const speed = ({ medianMs, fastestMs }: Timing): string =>
    `${(N_POINTS / medianMs / 1000).toFixed(2)} (${(N_POINTS / fastestMs / 1000).toFixed(2)})`;
  return {
    field: name,
    evaluate: speed(measure(() => field.evaluate(scattered, values))),
    'evaluate, lattice': speed(measure(() => field.evaluate(lattice, values))),
    preActivations: speed(measure(() => field.preActivations(scattered, all))),
    'pre., lattice': speed(measure(() => field.preActivations(lattice, all))),
    gradient: speed(measure(() => field.evaluateWithGradient(scattered, values, gradients))),
    'bound 1/64, us': boxTime(asset, 64),
    'bound 1/16, us': boxTime(asset, 16),
  };
}

/** Microseconds a certified bound of a box of 1/side of the domain. */
function boxTime(asset: FieldAsset, side: number): string {
  const field = createCpuField(asset);
  const { min, max } = asset.domain;
  const random = seededRandom(2);
  const boxes = Array.from({ length: N_BOXES }, () => {
    const extent = max.map((m, k) => (m - min[k]) / side);
    const lo = Float64Array.from(min, (m, k) => m + Math.floor(random() * side) * extent[k]);
    return [lo, lo.map((v, k) => v + extent[k])] as const;
  });
  const { medianMs, fastestMs } = measure(() => {
    for (const [lo, hi] of boxes) field.bound(lo, hi);
  });
  const perBox = (ms: number): string => ((ms / N_BOXES) * 1000).toFixed(1);
  return `${perBox(medianMs)} (${perBox(fastestMs)})`;
}

async function readBunny(): Promise<FieldAsset> {
  const file = await readFile(new URL('../test/fixtures/bunny-S.nsdf', import.meta.url));
  const field = readNsdf(file).nodes[0].mesh?.fields[0];
  if (field === undefined) throw new Error('test/fixtures/bunny-S.nsdf has no field in its first node');
  return field.asset;
}

const hashed = randomField(3, { L: 8, T: 15, base: 4, finest: 128, layers: [64, 64, 64, 64] });
console.log('Mpoints/s and microseconds: median (fastest)');
console.table([
  measureField('bunny-S (4x2, 8-16-16-2)', await readBunny()),
  measureField('hashed (8x2, 4 layers of 64)', hashed),
  measureField('plain MLP, 8x32', randomMlp(22)),
]);
