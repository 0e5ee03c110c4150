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
  blocks: true,
  structure: true,
  backend: true,
  device: true,
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

/** The known name that differs least, by at most a third of its letters. */
function closestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return ranked.find(({ candidate, distance }) => distance <= Math.max(1, candidate.length / 3))?.candidate;
}

/** Insertions, deletions, replacements and swaps of neighbours that make `b` of `a` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (isSame ? 0 : 1));
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
