import { COUNT_ZERO } from './item-count.ts';

/** Named numbers of items that live on the GPU, u32 each, so that no stage asks the host how much the one before made. */
export interface Counts<K extends string> {
  readonly names: readonly K[];
  /** The index of each. */
  readonly at: Readonly<Record<K, number>>;
  readonly byteLength: number;
  /** WGSL: a constant `N_NAME` for each index, and `fn itemsOf(at, capacity)`; `counts` has to be bound. */
  readonly wgsl: string;
}

/**
 * Declares counts: WGSL's constants and the indices come from one list. The first is always zero, see `COUNT_ZERO`.
 * @param names in camelCase: `rootCorners` is N_ROOT_CORNERS in WGSL.
 */
export function defineCounts<K extends string>(names: readonly K[]): Counts<K> {
  const entries = names.map((name, i) => [name, COUNT_ZERO + 1 + i] as const);
  const constants = entries.map(([name, i]) => `const ${constantOf(name)} = ${i}u;`);
  return {
    names,
    at: Object.fromEntries(entries) as Record<K, number>,
    byteLength: 4 * (COUNT_ZERO + 1 + names.length),
    wgsl: `${constants.join('\n')}\n`,
  };
}

function constantOf(name: string): string {
  return `N_${name.replace(/[A-Z0-9]+/g, (part) => `_${part}`).toUpperCase()}`;
}
