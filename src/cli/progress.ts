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
