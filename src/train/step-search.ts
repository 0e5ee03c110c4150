/** Tries at most, a share of the goal that is near enough below it, and the least ratio of two steps. */
const MAX_TRIES = 14;
const NEAR = 0.01;
const LEAST_RATIO = 1.002;
/** Bounds on where between two known steps the next one lies: at the ends the search would creep. */
const MARGIN = 0.1;

/** Steps to search in, and which of those that keep the goal is wanted: the largest, or the smallest. */
export interface StepRange {
  readonly first: number;
  readonly least: number;
  readonly most: number;
  readonly wanted: 'largest' | 'smallest';
}

/** A step that was tried, as a logarithm, and that of its figure over the goal: from 0 down it is kept. */
interface Tried {
  readonly at: number;
  readonly excess: number;
}

/**
 * Searches for the step whose figure comes nearest to a goal without being over it. Figures are about powers of the step (an error grows
 * with it, bytes shrink): logarithms are interpolated between the nearest two steps of which one keeps the goal and one does not, which
 * takes a third of the tries of halving.
 */
export class StepSearch {
  private readonly goal: number;
  private readonly range: StepRange;
  private kept: Tried | undefined;
  private over: Tried | undefined;
  private nTries = 0;
  private at: number;

  constructor(goal: number, range: StepRange) {
    this.goal = Math.log(goal);
    this.range = range;
    this.at = Math.log(range.first);
  }

  /** Share of the tries that there may be. */
  get fraction(): number {
    return this.nTries / MAX_TRIES;
  }

  /** The step to try. */
  get step(): number {
    return Math.exp(this.at);
  }

  /**
   * Takes the figure that the step has.
   * @returns whether it keeps the goal, and whether another is to be tried.
   */
  take(figure: number): { readonly isKept: boolean; readonly isOver: boolean } {
    const tried = { at: this.at, excess: Math.log(Math.max(figure, Number.MIN_VALUE)) - this.goal };
    const isKept = tried.excess <= 0;
    if (isKept) this.kept = tried;
    else this.over = tried;
    const next = ++this.nTries < MAX_TRIES && !(isKept && tried.excess > -NEAR) ? this.next() : undefined;
    this.at = next ?? this.at;
    return { isKept, isOver: next === undefined };
  }

  private next(): number | undefined {
    const { kept, over } = this;
    if (kept && over) {
      if (Math.abs(kept.at - over.at) < Math.log(LEAST_RATIO)) return undefined;
      const share = (over.excess + 0.5 * NEAR) / (over.excess - kept.excess);
      return over.at + Math.min(1 - MARGIN, Math.max(MARGIN, share)) * (kept.at - over.at);
    }
    const { at, excess } = (kept ?? over) as Tried;
    const isFiner = (this.range.wanted === 'largest') === (kept === undefined);
    const end = Math.log(isFiner ? this.range.least : this.range.most);
    if (at === end) return undefined;
    // An error is about proportional to the step, bytes fall with its logarithm.
    const reach = Math.max(Math.LN2, (this.range.wanted === 'largest' ? 1.2 : 5) * Math.abs(excess));
    return isFiner ? Math.max(end, at - reach) : Math.min(end, at + reach);
  }
}
