/** Candidates for a collapse, cheapest first: a binary heap of numbers into arrays that grow. */
export class CollapseQueue {
  private readonly costs: number[] = [];
  private readonly ends: number[] = [];
  private readonly ages: number[] = [];
  private readonly heap: number[] = [];
  private readonly free: number[] = [];

  /** @param age of the two ends' neighbourhoods, to tell what is out of date. */
  push(cost: number, from: number, to: number, age: number): void {
    const item = this.free.pop() ?? this.costs.length;
    this.costs[item] = cost;
    this.ends[item * 2] = from;
    this.ends[item * 2 + 1] = to;
    this.ages[item] = age;
    const { heap, costs } = this;
    let i = heap.length;
    heap.push(item);
    for (let up = (i - 1) >> 1; i > 0 && costs[heap[up]] > cost; up = (i - 1) >> 1) {
      heap[i] = heap[up];
      i = up;
    }
    heap[i] = item;
  }

  /** The cheapest, as [from, to, age]; undefined where there is none. */
  pop(): [from: number, to: number, age: number] | undefined {
    const { heap, costs } = this;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined) return undefined;
    this.free.push(top);
    let i = 0;
    for (let down = 1; down < heap.length; down = 2 * i + 1) {
      if (down + 1 < heap.length && costs[heap[down + 1]] < costs[heap[down]]) down++;
      if (costs[heap[down]] >= costs[last]) break;
      heap[i] = heap[down];
      i = down;
    }
    if (heap.length > 0) heap[i] = last;
    return [this.ends[top * 2], this.ends[top * 2 + 1], this.ages[top]];
  }
}
