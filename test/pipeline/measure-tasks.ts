/** Runs `work` and gives its time and that of the longest task which the page's thread ran meanwhile. */
export async function measureTasks(
  work: () => Promise<unknown>,
): Promise<{ longestMs: number; totalMs: number }> {
  const channel = new MessageChannel();
  const startMs = performance.now();
  let lastMs = startMs;
  let longestMs = 0;
  channel.port1.onmessage = () => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    channel.port2.postMessage(null);
  };
  channel.port2.postMessage(null);
  await work();
  channel.port1.close();
  return { longestMs, totalMs: performance.now() - startMs };
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
