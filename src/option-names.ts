import { NsdfArgumentError } from './errors.ts';
import type { DeriveOptions } from './pipeline/options.ts';

/** Names of options, every one of an interface; the type checker misses none: `{ signal: true } satisfies OptionNames<T>`. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** What `deriveMesh` reads. */
export const DERIVE_OPTION_NAMES = {
  tolerance: true,
  resolution: true,
  exact: true,
  preview: true,
  cap: true,
  maxVertices: true,
  creaseAngle: true,
  region: true,
  origin: true,
  blocks: true,
  structure: true,
  backend: true,
  device: true,
  workerLimit: true,
  cache: true,
  signal: true,
  onProgress: true,
} as const satisfies OptionNames<DeriveOptions>;

/**
 * Refuses options that nobody reads: a mistyped one would silently leave its default in force.
 * @param where what the options are given to, for the message
 * @throws {NsdfArgumentError} that names the option, and the one that was meant where one is close
 */
export function refuseUnknownOptions(
  where: string,
  options: object,
  known: Readonly<Record<string, true>>,
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
