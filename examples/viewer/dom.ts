/** The element with that id, as the type that the page gives it. */
export function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no element with id ${id}`);
  return element as T;
}

const INTEGER = new Intl.NumberFormat('en');

export function formatCount(count: number): string {
  return INTEGER.format(count);
}

export function formatBytes(nBytes: number): string {
  if (nBytes < 1e3) return `${nBytes} B`;
  return nBytes < 1e6 ? `${(nBytes / 1e3).toFixed(0)} kB` : `${(nBytes / 1e6).toFixed(2)} MB`;
}

export function formatTime(timeMs: number): string {
  return timeMs < 1000 ? `${timeMs.toFixed(timeMs < 10 ? 1 : 0)} ms` : `${(timeMs / 1000).toFixed(2)} s`;
}

/** Few digits, whatever the size: 0.001, 2.4e-7. */
export function formatSmall(value: number): string {
  return value === 0 || Math.abs(value) >= 1e-4
    ? String(Number(value.toPrecision(2)))
    : value.toExponential(1);
}
