import { Presets, SingleBar } from 'cli-progress';

/** A progress bar on standard error, shown only where that is a terminal. */
export interface ProgressBar {
  readonly update: (progress: { readonly stage: string; readonly fraction: number }) => void;
  readonly stop: () => void;
}

export function startProgress(label: string): ProgressBar {
  if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} };
  const format = `${label} {bar} {percentage}% {stage}`;
  const bar = new SingleBar(
    { format, stream: process.stderr, clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(100, 0, { stage: '' });
  return {
    update: ({ fraction, stage }) => bar.update(Math.round(fraction * 100), { stage }),
    stop: () => bar.stop(),
  };
}
