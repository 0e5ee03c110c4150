import type { Level } from './level.ts';
import type { LevelStore } from './level-store.ts';
import { isOnScreen, type Patience } from './priority.ts';

/** Bytes of the ready levels of all fields. */
export function bytesOf(stores: Iterable<LevelStore<unknown>>): number {
  let nBytes = 0;
  for (const store of stores) nBytes += store.nBytes;
  return nBytes;
}

/**
 * Evicts what was on screen longest ago until the budget is kept, or all that is left is needed.
 * @returns how many levels were evicted.
 */
export function evictOverBudget(
  stores: Iterable<LevelStore<unknown>>,
  maxBytes: number,
  patience: Patience,
): number {
  let nEvicted = 0;
  for (let nBytes = bytesOf(stores); nBytes > maxBytes; nEvicted++) {
    let oldest: Level<unknown> | null = null;
    let owner: LevelStore<unknown> | null = null;
    for (const store of stores) {
      for (const level of store.levels) {
        if (oldest && level.lastShownMs >= oldest.lastShownMs) continue;
        if (!isEvictable(store, level, patience)) continue;
        oldest = level;
        owner = store;
      }
    }
    if (!oldest || !owner) return nEvicted;
    nBytes -= oldest.nBytes;
    owner.evict(oldest);
  }
  return nEvicted;
}

/** The coarse level stays, and so does what is on screen, what a caller waits for and what is all that an object has. */
function isEvictable(store: LevelStore<unknown>, level: Level<unknown>, patience: Patience): boolean {
  if (level.status !== 'ready' || level.index <= 0 || store.isDemanded(level)) return false;
  if (store.levels[0].status !== 'ready') return false;
  for (const selector of store.selectors) {
    if (selector.shown === level && isOnScreen(selector, patience)) return false;
  }
  return true;
}
