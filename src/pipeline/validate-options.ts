import { PartitionCache } from '../cache/partition-cache.ts';
import { NsdfArgumentError } from '../errors.ts';
import type { Box3 } from '../format/asset.ts';
import { describe } from '../format/json-object.ts';
import { DERIVE_OPTION_NAMES, refuseUnknownOptions } from '../option-names.ts';
import type { ToleranceBlocks } from '../surface/detail-map.ts';
import type { DeriveOptions } from './options.ts';

/** Boxes an axis that a lattice may have: 4096³ is what a 32-bit box index per plane and our counters hold. */
const MAX_RESOLUTION = 4096;
/** A closed surface has at least four vertices. */
const MIN_VERTICES = 4;
/** Boxes an axis of a preview: a slice of the lattice is one step of the work. */
const MAX_PREVIEW = 128;
const BACKENDS = ['auto', 'cpu', 'worker', 'gpu'];

/** @param found the value, as a user would write it. */
function refuse(argument: string, value: unknown, expected: string, found = describe(value)): never {
  throw new NsdfArgumentError(argument, `${argument} is ${found}; expected ${expected}`);
}

function checkNumber(
  argument: string,
  value: unknown,
  isValid: (n: number) => boolean,
  expected: string,
): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !isValid(value)) refuse(argument, value, expected);
}

function checkConflicts({ tolerance, resolution, exact, preview, blocks, structure }: DeriveOptions): void {
  const asked = [
    ...(tolerance === undefined ? [] : ['tolerance']),
    ...(resolution === undefined ? [] : ['resolution']),
    ...(exact ? ['exact'] : []),
    ...(preview === undefined ? [] : ['preview']),
    ...(blocks === undefined ? [] : ['blocks']),
    // A preview is not derived: it has no regions to return.
    ...(preview !== undefined && structure ? ['structure'] : []),
  ];
  if (asked.length < 2) return;
  throw new NsdfArgumentError(
    asked[1] as string,
    `${asked.join(' and ')} are given together; they are different ways to ask for a mesh: give one of them`,
  );
}

function checkRegion(region: unknown): void {
  const { min, max } = (region ?? {}) as { min?: unknown; max?: unknown };
  const isBox =
    isTriple(min, Number.isFinite) &&
    isTriple(max, Number.isFinite) &&
    [0, 1, 2].every((k) => min[k] < max[k] && Number.isFinite(max[k] - min[k]));
  if (isBox) return;
  const isNumbers = isTriple(min, () => true) && isTriple(max, () => true);
  const found = isNumbers ? `[${Array.from(min)}] to [${Array.from(max)}]` : undefined;
  refuse('region', region, 'a box { min: [x, y, z], max: [x, y, z] } with min below max', found);
}

/** Three numbers, in a list of any kind. */
function isTriple(value: unknown, isRight: (n: number) => boolean): value is ArrayLike<number> {
  if (!isList(value) || value.length !== 3) return false;
  return [0, 1, 2].every((k) => typeof value[k] === 'number' && isRight(value[k]));
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { length?: unknown }).length === 'number'
  );
}

/** More blocks than this along an axis are not detail by view any more. */
const MAX_BLOCKS = 64;

function checkBlocks(blocks: unknown): void {
  const { counts, tolerances } = (blocks ?? {}) as Partial<Record<keyof ToleranceBlocks, unknown>>;
  if (!isTriple(counts, (n) => Number.isInteger(n) && n >= 1 && n <= MAX_BLOCKS)) {
    refuse('blocks', blocks, `counts, three whole numbers from 1 to ${MAX_BLOCKS}, and tolerances`);
  }
  const nBlocks = counts[0] * counts[1] * counts[2];
  const list: ArrayLike<unknown> = isList(tolerances) ? tolerances : [];
  const isRight = (t: unknown): boolean => typeof t === 'number' && t > 0 && t < Number.POSITIVE_INFINITY;
  if (list.length !== nBlocks || !Array.from(list).every(isRight)) {
    refuse('blocks', list, `${nBlocks} positive distances, one a block`, `${list.length} tolerances`);
  }
}

/**
 * The least tolerance that single precision can hold, in local units: how far a point of the domain moves when its
 * coordinates, taken from the domain's centre, are rounded.
 */
export function leastTolerance({ min, max }: Box3): number {
  const halfSteps = [0, 1, 2].map((k) => {
    const exponent = Math.ceil(Math.log2((max[k] - min[k]) / 2)) - 1;
    return 2 ** (exponent - 24);
  });
  return Math.hypot(...halfSteps);
}

/** @throws {NsdfArgumentError} if the vertices of a mesh in this domain cannot keep the tolerance that is asked for */
export function checkPrecision(domain: Box3, { tolerance, blocks }: DeriveOptions): void {
  const none = tolerance ?? Number.POSITIVE_INFINITY;
  const asked = Array.from(blocks?.tolerances ?? []).reduce((least, each) => Math.min(least, each), none);
  const least = leastTolerance(domain);
  if (asked >= least) return;
  refuse(
    blocks === undefined ? 'tolerance' : 'blocks',
    asked,
    `at least ${least.toPrecision(2)}: the vertices are in single precision, which rounds them by as much in this domain`,
  );
}

/**
 * Checks the options of a derivation.
 * @param more names of options that the caller reads besides
 * @throws {NsdfArgumentError} if one is unknown, a value is out of range or two of them contradict each other
 */
export function validateDeriveOptions(
  options: DeriveOptions,
  more: Readonly<Record<string, true>> = {},
): void {
  if (typeof options !== 'object' || options === null) refuse('options', options, 'an object');
  refuseUnknownOptions('deriveMesh', options, { ...DERIVE_OPTION_NAMES, ...more });
  const { tolerance, resolution, exact, preview, cap, maxVertices, creaseAngle, structure, backend } =
    options;
  const isLength = (n: number): boolean => n > 0 && n < Number.POSITIVE_INFINITY;
  checkNumber('tolerance', tolerance, isLength, "a positive distance in the asset's local units");
  checkNumber(
    'resolution',
    resolution,
    (n) => Number.isInteger(n) && n >= 1 && n <= MAX_RESOLUTION,
    `a whole number of boxes an axis, from 1 to ${MAX_RESOLUTION}`,
  );
  checkNumber(
    'preview',
    preview,
    (n) => Number.isInteger(n) && n >= 2 && n <= MAX_PREVIEW,
    `a whole number of boxes an axis, from 2 to ${MAX_PREVIEW}`,
  );
  checkNumber(
    'maxVertices',
    maxVertices,
    (n) => Number.isInteger(n) && n >= MIN_VERTICES,
    `a whole number of at least ${MIN_VERTICES}`,
  );
  checkNumber('creaseAngle', creaseAngle, (n) => n > 0 && n <= 180, 'degrees, above 0 and at most 180');
  for (const [name, flag] of [
    ['exact', exact],
    ['cap', cap],
    ['structure', structure],
  ] as const) {
    if (flag !== undefined && typeof flag !== 'boolean') refuse(name, flag, 'true or false');
  }
  if (options.region !== undefined) checkRegion(options.region);
  const { origin } = options;
  const isPoint = Array.isArray(origin) && origin.length === 3 && origin.every(Number.isFinite);
  if (origin !== undefined && !isPoint)
    refuse('origin', JSON.stringify(origin), 'a point [x, y, z] in local units');
  if (options.blocks !== undefined) checkBlocks(options.blocks);
  if (backend !== undefined && !BACKENDS.includes(backend)) {
    refuse('backend', backend, `one of ${BACKENDS.join(', ')}`);
  }
  if (options.cache !== undefined && options.cache !== false && !(options.cache instanceof PartitionCache)) {
    refuse('cache', options.cache, 'a PartitionCache, or false for none');
  }
  if (options.device !== undefined && typeof options.device?.createBuffer !== 'function') {
    refuse('device', options.device, 'a GPUDevice');
  }
  if (options.workerLimit !== undefined) {
    const isCount = (n: number): boolean => Number.isInteger(n) && n >= 1;
    const { maxWorkers } = (options.workerLimit ?? {}) as { maxWorkers?: unknown };
    if (typeof maxWorkers !== 'number' || !isCount(maxWorkers)) {
      refuse('workerLimit', maxWorkers, 'a whole number of workers as maxWorkers, at least 1');
    }
  }
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') {
    refuse('onProgress', options.onProgress, 'a function');
  }
  if (options.signal !== undefined && typeof options.signal?.addEventListener !== 'function') {
    refuse('signal', options.signal, 'an AbortSignal');
  }
  checkConflicts(options);
}
