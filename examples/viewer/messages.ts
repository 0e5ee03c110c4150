import { byId } from './dom.ts';

/** Progress bar, error box, and what a screen reader is told. */
export class Messages {
  readonly #progress = byId('progress');
  readonly #error = byId('error');

  constructor() {
    this.#error.querySelector('button')?.addEventListener('click', () => this.clearError());
  }

  /** Shows how far what is; `fraction` in [0, 1]. */
  progress(what: string, fraction: number): void {
    const percent = Math.round(fraction * 100);
    this.#progress.hidden = false;
    this.#progress.style.setProperty('--fraction', String(fraction));
    this.#progress.setAttribute('aria-valuenow', String(percent));
    this.#progress.setAttribute('aria-valuetext', `${what}, ${percent} %`);
    (this.#progress.querySelector('.progress-text') as HTMLElement).textContent = `${what} · ${percent} %`;
  }

  endProgress(): void {
    this.#progress.hidden = true;
  }

  showError(what: string, error: Error): void {
    this.#error.hidden = false;
    (this.#error.querySelector('h2') as HTMLElement).textContent = `${what} failed`;
    (this.#error.querySelector('p') as HTMLElement).textContent = error.message;
  }

  clearError(): void {
    this.#error.hidden = true;
  }

  /** For screen readers. */
  say(text: string): void {
    byId('status').textContent = text;
  }
}
