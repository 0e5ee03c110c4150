/**
 * What is wrong with many things at once: `expect` for each of a hundred thousand costs more than what is tested.
 * @example
 * const faults = new Faults();
 * for (const [i, x] of values.entries()) faults.unless(x > 0, 'negative', i);
 * expect(faults.first).toEqual([]);
 */
export class Faults {
  /** The first few, in words. */
  readonly first: string[] = [];

  /** @param at numbers that say where. */
  unless(isRight: boolean, what: string, ...at: readonly number[]): void {
    if (!isRight && this.first.length < 5) this.first.push(`${what} at ${at.join(', ')}`);
  }
}
