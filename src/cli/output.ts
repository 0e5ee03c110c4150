import { InvalidArgumentError } from 'commander';

/** What reports are written to. */
export type ReportStream = Pick<NodeJS.WriteStream, 'write'>;

/** Prints one JSON object in a line. */
export function printJson(value: object, stream: ReportStream = process.stdout): void {
  stream.write(`${JSON.stringify(value)}\n`);
}

export function printLines(lines: readonly string[], stream: ReportStream = process.stdout): void {
  stream.write(lines.map((line) => `${line}\n`).join(''));
}

/** Two columns, the first one as wide as its longest entry. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}

export function plural(n: number, noun: string, nouns = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : nouns}`;
}

/** Bytes as people read them. */
export function formatBytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 ** 2) return `${(n / 1024).toFixed(1)} KiB`;
  return n < 1024 ** 3 ? `${(n / 1024 ** 2).toFixed(1)} MiB` : `${(n / 1024 ** 3).toFixed(1)} GiB`;
}

/** A parser of commander's option values. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a positive number.');
}

/** A parser of commander's option values. */
export function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text.trim())) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

/** A progress bar on standard error, shown only where that is a terminal. */
export interface ProgressBar {
  readonly update: (progress: { readonly stage: string; readonly fraction: number }) => void;
  readonly stop: () => void;
}

/** Characters of a bar, and what takes the terminal back to the start of an empty line. */
const WIDTH = 40;
const CLEAR_LINE = '\r\x1b[K';

export function startProgress(label: string): ProgressBar {
  const { stderr } = process;
  if (!stderr.isTTY) return { update: () => {}, stop: () => {} };
  let shown = '';
  return {
    update: ({ fraction, stage }) => {
      const nFull = Math.round(fraction * WIDTH);
      const bar = '█'.repeat(nFull) + '░'.repeat(WIDTH - nFull);
      const line = `${label} ${bar} ${Math.round(fraction * 100)}% ${stage}`.slice(0, stderr.columns - 1);
      if (line !== shown) stderr.write(CLEAR_LINE + line);
      shown = line;
    },
    stop: () => {
      if (shown !== '') stderr.write(CLEAR_LINE);
    },
  };
}
