import type { PartitionCache } from './cache/partition-cache.ts';
import { NsdfArgumentError } from './errors.ts';
import type { Box3, Vec3 } from './format/asset.ts';
import { describe } from './format/json-object.ts';
import type { ToleranceBlocks } from './surface/detail-map.ts';

/**
 * Stages in the order in which they run. Edges, faces and polygons are derived slab by slab: progress calls all of that
 * `polygons`, `timeMs` tells them apart.
 */
export type DeriveStage =
  | 'partition'
  | 'settle'
  | 'edges'
  | 'faces'
  | 'polygons'
  | 'refine'
  | 'simplify'
  | 'normals';

/** Progress of one job: `fraction` is of the whole job, in [0, 1]. */
export interface DeriveProgress {
  readonly stage: DeriveStage;
  readonly fraction: number;
}

/** Where the work runs. `gpu`: on the GPU, and in the worker (or in place without one) what takes double precision. */
export type Backend = 'cpu' | 'worker' | 'gpu';

/** A share of the page's workers, known by its identity: see `DeriveOptions.workerLimit`. */
export interface WorkerLimit {
  /** Workers at once, at least 1. */
  readonly maxWorkers: number;
}

/** How a mesh is asked for. At most one of `tolerance`, `resolution`, `exact` and `preview`; the default is the asset's own tolerance, or a share of its domain. */
export interface DeriveOptions {
  /** Largest distance between mesh and zero set, both ways, in the asset's local units. Default: domain diagonal / 3464 (1e-3 in [-1,1]³). */
  readonly tolerance?: number;
  /**
   * The tolerance of a uniform lattice with that many boxes along the longest axis: an eighth of its spacing. Where that is
   * cheaper, which it is while a quarter of its spacing is at least two fifths of the field's own boxes, the mesh is made on a lattice of
   * boxes two tolerances wide: its cost does not depend on how fine the field is, but what is thinner than a box may be
   * missing (`stats.method`, `stats.errorBackLocal`). Finer ones are derived; fields without a grid then on that lattice.
   */
  readonly resolution?: number;
  /** The whole polyhedral complex: every crease of every neuron. */
  readonly exact?: boolean;
  /**
   * A quick picture instead of a derivation, within milliseconds: a lattice level that is not thinned, of that many boxes along
   * the longest axis, at most 128. Closed, its vertices on the zero set, but what is smaller than a box may be missing. To
   * be shown until the mesh is there.
   */
  readonly preview?: number;
  /**
   * Close a surface that leaves the domain (or the region) by the parts of the faces where f < 0: a watertight solid. The
   * caps share the border's vertices and their normals; `creaseAngle` splits them. Where all is inside, the mesh is the
   * box. Default: false, the mesh is open there.
   */
  readonly cap?: boolean;
  /** Simplify to at most this many vertices, on the zero set; all parts stay. The caps count. */
  readonly maxVertices?: number;
  /** Split normals where the field's gradients on both sides of an edge differ by more than this angle, in degrees. Vertices are then duplicated, on top of `maxVertices`. Default: never. */
  readonly creaseAngle?: number;
  /**
   * Derive only what lies in this box of local units, for tiles of a large field. The mesh is open on the box's faces;
   * neighbouring regions meet there within the tolerance, not vertex by vertex. Default tolerance and resolution stay
   * those of the whole domain, and what stands out of the domain is cut off. Default: the asset's own region, else the
   * domain.
   */
  readonly region?: Box3;
  /**
   * What the mesh's positions are to be relative to, in local units; `mesh.origin` says so. Default: nothing, but for
   * fields far from zero their middle (`originOf`); the middle of a small `region` of a large domain is worth asking for.
   */
  readonly origin?: Vec3;
  /**
   * A tolerance for each block of a uniform division of the domain, instead of one `tolerance`: detail by view inside one
   * large field. Blocks of different tolerance meet without a crack, the finer one deciding what they share.
   */
  readonly blocks?: ToleranceBlocks;
  /** Also return the region structure (see `RegionStructure`). */
  readonly structure?: boolean;
  readonly backend?: Backend | 'auto';
  /** The GPU device to share with a renderer, for the backend `gpu`. Default: one of our own. */
  readonly device?: GPUDevice;
  /**
   * Derivations that are given the same object have at most its `maxWorkers` of the page's workers at once; the others
   * wait, and leave the remaining workers to whoever else derives. Default: all there are.
   */
  readonly workerLimit?: WorkerLimit;
  /**
   * Where earlier results are looked for and this one is kept; false for nowhere. Default: the page's own cache (see
   * `setDefaultCache`), where there is IndexedDB.
   */
  readonly cache?: PartitionCache | false;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DeriveProgress) => void;
}

/** Boxes an axis that a lattice may have: 4096³ is what a 32-bit box index per plane and our counters hold. */
const MAX_RESOLUTION = 4096;
/** A closed surface has at least four vertices. */
const MIN_VERTICES = 4;
/** Boxes an axis of a preview: a slice of the lattice is one step of the work. */
const MAX_PREVIEW = 128;
/** More blocks than this along an axis are not detail by view any more. */
const MAX_BLOCKS = 64;
const BACKENDS: readonly string[] = ['auto', 'cpu', 'worker', 'gpu'];

/** Names of options, every one of an interface; the type checker misses none: `{ signal: true } satisfies OptionNames<T>`. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** What is known of an option beside its type. Whatever treats options alike reads it here. */
interface OptionRule {
  /** `call`: it stays on the page's thread. `job`: a worker is told it. `mesh`: the mesh depends on it, and so do the keys of caches. */
  readonly reach: 'call' | 'job' | 'mesh';
  /** One of the ways to say how fine the mesh is, of which there can be one. */
  readonly isDetail?: true;
  /** `never`: a mesh that the GPU derives is without it. `after`: it is done on this side with the mesh that the GPU derived. */
  readonly gpu?: 'never' | 'after';
}

/** Every option of a derivation. */
export const OPTIONS = {
  tolerance: { reach: 'mesh', isDetail: true },
  resolution: { reach: 'mesh', isDetail: true },
  exact: { reach: 'mesh', isDetail: true, gpu: 'never' },
  preview: { reach: 'job', isDetail: true, gpu: 'never' }, // never kept: it is made sooner than found
  cap: { reach: 'mesh', gpu: 'after' },
  maxVertices: { reach: 'mesh', gpu: 'after' },
  creaseAngle: { reach: 'mesh', gpu: 'after' },
  region: { reach: 'mesh' },
  origin: { reach: 'call' },
  blocks: { reach: 'mesh', isDetail: true },
  structure: { reach: 'job', gpu: 'never' },
  backend: { reach: 'call' },
  device: { reach: 'call' },
  workerLimit: { reach: 'call' },
  cache: { reach: 'call' },
  signal: { reach: 'call' },
  onProgress: { reach: 'call' },
} as const satisfies Record<keyof DeriveOptions, OptionRule>;

type Options = typeof OPTIONS;
/** Options whose rule says so. */
type NamesWhere<Rule> = { [K in keyof Options]: Options[K] extends Rule ? K : never }[keyof Options];

/** Options whose rules have one of these values there. */
function namesWhere<Key extends keyof OptionRule, Value extends OptionRule[Key]>(
  key: Key,
  ...values: readonly Value[]
) {
  const rules = Object.entries<OptionRule>(OPTIONS);
  const names = rules.filter(([, rule]) => values.includes(rule[key] as Value)).map(([name]) => name);
  return names as NamesWhere<{ readonly [K in Key]: Value }>[];
}

/** What a job is told. */
export const JOB_OPTIONS = /* @__PURE__ */ namesWhere('reach', 'job', 'mesh');
/** What a mesh depends on beside its field. */
export const MESH_OPTIONS = /* @__PURE__ */ namesWhere('reach', 'mesh');
/** The ways to say how fine a mesh is. */
export const DETAIL_OPTIONS = /* @__PURE__ */ namesWhere('isDetail', true);

/** The first option that is asked for and that a mesh which the GPU derives would lack. */
export function firstNotOnGpu(
  options: DeriveOptions,
  ...kinds: readonly ('never' | 'after')[]
): string | undefined {
  return namesWhere('gpu', ...kinds).find((name) => isAsked(options[name]));
}

/** Whether an option asks for anything. */
export function isAsked(value: unknown): boolean {
  return value !== undefined && value !== false;
}

/** An option of a derivation on the command line, which spells it `--max-vertices`. */
export interface DeriveFlag {
  /** What its value is called, where it has one. */
  readonly value?: string;
  readonly isWhole?: true;
  readonly help: string;
}

/** The options that the command line has, in its order. No bundle for browsers has them: nothing there imports them. */
export const DERIVE_FLAGS = {
  tolerance: {
    value: '<length>',
    help: "largest distance between mesh and surface, both ways, in the field's units (default: the file's, else domain diagonal / 3464)",
  },
  resolution: {
    value: '<boxes>',
    isWhole: true,
    help: 'instead of a tolerance: as exact as a lattice of that many boxes along the longest axis, an eighth of its spacing',
  },
  exact: { help: 'instead of a tolerance: the whole polyhedral complex, every crease of every neuron' },
  cap: { help: "close a surface that leaves the domain by the domain's faces" },
  maxVertices: {
    value: '<n>',
    isWhole: true,
    help: 'simplify to at most that many vertices; the tolerance is then no longer kept',
  },
  creaseAngle: { value: '<degrees>', help: 'hard edges where the surface bends by more (default: none)' },
} as const satisfies Partial<Record<keyof DeriveOptions, DeriveFlag>>;

interface OptionCheck {
  /** What a value has to be, as an error says it. */
  readonly expected: string;
  readonly isValid: (value: never) => boolean;
}

const isWhole = (least: number, most = Number.MAX_SAFE_INTEGER) => {
  return (n: unknown): boolean => Number.isInteger(n) && (n as number) >= least && (n as number) <= most;
};
const FLAG: OptionCheck = {
  expected: 'true or false',
  isValid: (value: unknown) => typeof value === 'boolean',
};

/** What each has to be. Apart from the rules, and a function: whatever reads the rules alone has none of it in its bundle. */
const checks = (): Required<Record<keyof DeriveOptions, OptionCheck>> => ({
  tolerance: {
    expected: "a positive distance in the asset's local units",
    isValid: isLength,
  },
  resolution: {
    expected: `a whole number of boxes an axis, from 1 to ${MAX_RESOLUTION}`,
    isValid: isWhole(1, MAX_RESOLUTION),
  },
  exact: FLAG,
  preview: {
    expected: `a whole number of boxes an axis, from 2 to ${MAX_PREVIEW}`,
    isValid: isWhole(2, MAX_PREVIEW),
  },
  cap: FLAG,
  maxVertices: {
    expected: `a whole number of at least ${MIN_VERTICES}`,
    isValid: isWhole(MIN_VERTICES),
  },
  creaseAngle: {
    expected: 'degrees, above 0 and at most 180',
    isValid: (value: unknown) => typeof value === 'number' && value > 0 && value <= 180,
  },
  region: {
    expected: 'a box { min: [x, y, z], max: [x, y, z] } with min below max',
    isValid: isBox,
  },
  origin: {
    expected: 'a point [x, y, z] in local units',
    isValid: (value: unknown) => Array.isArray(value) && isTriple(value, Number.isFinite),
  },
  blocks: {
    expected: `counts, three whole numbers from 1 to ${MAX_BLOCKS}, and tolerances, as many positive distances as there are blocks`,
    isValid: isBlocks,
  },
  structure: FLAG,
  backend: {
    expected: `one of ${BACKENDS.join(', ')}`,
    isValid: (value: Backend) => BACKENDS.includes(value),
  },
  device: {
    expected: 'a GPUDevice',
    isValid: (value: GPUDevice) => typeof value?.createBuffer === 'function',
  },
  workerLimit: {
    expected: 'a whole number of workers as maxWorkers, at least 1',
    isValid: (value: WorkerLimit) => isWhole(1)(value?.maxWorkers),
  },
  cache: {
    expected: 'a PartitionCache, or false for none',
    isValid: (value: PartitionCache | false) => value === false || typeof value?.open === 'function',
  },
  signal: {
    expected: 'an AbortSignal',
    isValid: (value: AbortSignal) => typeof value?.addEventListener === 'function',
  },
  onProgress: {
    expected: 'a function',
    isValid: (value: unknown) => typeof value === 'function',
  },
});

/**
 * Checks the options of a derivation.
 * @param more names of options that the caller reads besides
 * @throws {NsdfArgumentError} if one is unknown, a value is out of range or two of them contradict each other
 */
export function validateDeriveOptions(
  options: DeriveOptions,
  more: Readonly<Record<string, unknown>> = {},
): void {
  if (typeof options !== 'object' || options === null) refuse('options', options, 'an object');
  refuseUnknownOptions('deriveMesh', options, { ...OPTIONS, ...more });
  for (const [name, { isValid, expected }] of Object.entries(checks())) {
    const value = options[name as keyof DeriveOptions];
    if (value !== undefined && !isValid(value as never)) refuse(name, value, expected);
  }
  checkConflicts(options);
}

function checkConflicts(options: DeriveOptions): void {
  const asked: string[] = DETAIL_OPTIONS.filter((name) => isAsked(options[name]));
  // A preview is not derived: it has no regions to return.
  if (options.preview !== undefined && options.structure) asked.push('structure');
  if (asked.length < 2) return;
  throw new NsdfArgumentError(
    asked[1],
    `${asked.join(' and ')} are given together; they are different ways to ask for a mesh: give one of them`,
  );
}

function isLength(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && Number.isFinite(value);
}

function isBox(value: unknown): boolean {
  const { min, max } = (value ?? {}) as { min?: unknown; max?: unknown };
  return (
    isTriple(min, Number.isFinite) &&
    isTriple(max, Number.isFinite) &&
    [0, 1, 2].every((k) => min[k] < max[k] && Number.isFinite(max[k] - min[k]))
  );
}

function isBlocks(value: unknown): boolean {
  const { counts, tolerances } = (value ?? {}) as Partial<Record<keyof ToleranceBlocks, unknown>>;
  if (!isTriple(counts, isWhole(1, MAX_BLOCKS)) || !isList(tolerances)) return false;
  const nBlocks = counts[0] * counts[1] * counts[2];
  return tolerances.length === nBlocks && Array.from(tolerances).every(isLength);
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

function refuse(argument: string, value: unknown, expected: string): never {
  throw new NsdfArgumentError(argument, `${argument} is ${show(value)}; expected ${expected}`);
}

/** A value as a user would write it, where that is short. */
function show(value: unknown): string {
  const isShort = (list: unknown): list is ArrayLike<number> => isTriple(list, () => true);
  if (isShort(value)) return `[${Array.from(value)}]`;
  const { min, max } = (value ?? {}) as { min?: unknown; max?: unknown };
  return isShort(min) && isShort(max) ? `[${Array.from(min)}] to [${Array.from(max)}]` : describe(value);
}

/**
 * Refuses options that nobody reads: a mistyped one would silently leave its default in force.
 * @param where what the options are given to, for the message
 * @throws {NsdfArgumentError} that names the option, and the one that was meant where one is close
 */
export function refuseUnknownOptions(
  where: string,
  options: object,
  known: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const meant = closestName(name, Object.keys(known));
    const advice =
      meant === undefined ? `expected ${Object.keys(known).join(', ')}` : `did you mean ${meant}?`;
    throw new NsdfArgumentError(name, `${where} has no option "${name}": ${advice}`);
  }
}

/** The known name that shares the most pairs of neighbouring letters (Dice's coefficient), if half of them or more. */
function closestName(name: string, known: readonly string[]): string | undefined {
  const mine = letterPairs(name);
  const likeness = known.map((candidate) => {
    const theirs = letterPairs(candidate);
    return (2 * theirs.filter((pair) => mine.includes(pair)).length) / (mine.length + theirs.length);
  });
  const most = Math.max(...likeness);
  return most < 0.5 ? undefined : known[likeness.indexOf(most)];
}

function letterPairs(name: string): string[] {
  const letters = name.toLowerCase();
  return [...letters].map((letter, i) => letter + (letters[i + 1] ?? ''));
}
