import {
  NsdfBudgetError,
  NsdfError,
  NsdfFormatError,
  NsdfGpuError,
  NsdfUnsupportedError,
} from '../../src/index.ts';
import { byId } from './dom.ts';

/** Progress, error box, and what a screen reader is told. */
export class Messages {
  readonly #progress = byId('progress');
  readonly #bar = byId('progress-bar');
  readonly #error = byId('error');

  constructor(onCancel: () => void) {
    byId('cancel').addEventListener('click', onCancel);
    this.#error.querySelector('button')?.addEventListener('click', () => this.clearError());
  }

  /** Shows how far what is; `fraction` in [0, 1]. */
  progress(what: string, fraction: number): void {
    const percent = Math.round(fraction * 100);
    this.#progress.hidden = false;
    this.#bar.style.setProperty('--fraction', String(fraction));
    this.#bar.setAttribute('aria-valuenow', String(percent));
    this.#bar.setAttribute('aria-valuetext', `${what}, ${percent} %`);
    byId('progress-text').textContent = `${what} · ${percent} %`;
  }

  endProgress(): void {
    this.#progress.hidden = true;
  }

  showError(what: string, error: Error): void {
    this.#error.hidden = false;
    (this.#error.querySelector('h2') as HTMLElement).textContent = `${what} failed`;
    byId('error-words').textContent = inWords(error);
    byId('error-detail').textContent = error.message;
  }

  clearError(): void {
    this.#error.hidden = true;
  }

  /** For screen readers; also shown for a moment where `isShown`. */
  say(text: string, isShown = false): void {
    const status = byId('status');
    status.textContent = text;
    for (const animation of status.getAnimations()) animation.cancel();
    if (isShown) status.animate({ opacity: [1, 1, 0] }, 3000);
  }
}

/** What went wrong, for a person; the message itself is for whoever wants to know exactly. */
function inWords(error: Error): string {
  const text = error.message;
  if (/\b404\b/.test(text)) return 'There is no file at this address. Is the name spelled right?';
  if (/\b(401|403)\b/.test(text)) return 'The server does not let everybody have this file.';
  if (/Failed to fetch|NetworkError|Load failed/i.test(text))
    return 'The file could not be fetched: you may be offline, or its site does not allow other pages to read it (CORS).';
  if (error instanceof NsdfFormatError)
    return 'This is not a neural field that can be read: it may be another kind of file, or damaged on its way here.';
  if (error instanceof NsdfUnsupportedError)
    return 'This file asks for something that this version does not know.';
  if (error instanceof NsdfBudgetError)
    return 'This would take more than there is room for. Ask for a larger error, or for more vertices.';
  if (error instanceof NsdfGpuError)
    return 'The graphics processor could not do it. Choose another place to run.';
  if (error instanceof NsdfError) return 'It could not be done as asked for.';
  return 'Something unexpected happened.';
}
