/**
 * Runs `work` and gives its time and that of the longest task which the page's thread ran meanwhile; 0 where none
 * was a "long task", that is longer than 50 ms.
 */
export async function measureTasks(
  work: () => Promise<unknown>,
): Promise<{ longestMs: number; totalMs: number }> {
  const tasks: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
  observer.observe({ type: 'longtask' });
  const startMs = performance.now();
  await work();
  const totalMs = performance.now() - startMs;
  await new Promise((resolve) => setTimeout(resolve, 20)); // the last task's entry comes after its end
  tasks.push(...observer.takeRecords());
  observer.disconnect();
  return { longestMs: Math.max(0, ...tasks.map(({ duration }) => duration)), totalMs };
}

/**
 * The least of three measurements: what our own code costs comes back every time, what else the machine does while
 * the clock runs does not.
 */
export async function leastOfThree(measure: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) times.push(await measure());
  return Math.min(...times);
}

/**
 * Waits until the page's thread, left alone, misses nothing for a quarter of a second: what other programs on the machine
 * take from it is not to be measured. Gives up waiting after 20 s.
 */
export async function untilQuiet(): Promise<void> {
  const rest = () => new Promise((resolve) => setTimeout(resolve, 250));
  for (const startMs = performance.now(); performance.now() - startMs < 20_000; ) {
    if ((await measureLongestGap(rest)) < 4) return;
  }
}

/** Runs `work` and gives the longest time, in milliseconds, in which the page's thread served no message meanwhile. */
export async function measureLongestGap(work: () => Promise<unknown>): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  let longestMs = 0;
  let lastMs = performance.now();
  port1.onmessage = () => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    port2.postMessage(null);
  };
  port2.postMessage(null);
  await work();
  port1.close();
  return longestMs;
}
