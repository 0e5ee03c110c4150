import type { DeriveSettings } from '../../src/three/index.ts';
import type { Shading } from './appearance.ts';
import { byId, formatCount, formatSmall } from './dom.ts';

/** Ends of the sliders that mean "no limit" and "never". */
const MAX_VERTICES_OFF = 5.1;
const CREASE_OFF = 95;

/** What the panel asks for. */
export interface PanelState {
  readonly derive: DeriveSettings;
  /** Levels of detail by their error on screen, or null for a single mesh. */
  readonly lod: { readonly screenError: number } | null;
  readonly shading: Shading;
  readonly hasWireframe: boolean;
  readonly isTurning: boolean;
}

/** Called when a control moved: `derive` where the mesh has to be made anew, `view` where it is only drawn anew. */
export type PanelListener = (what: 'derive' | 'view') => void;

const VIEW_CONTROLS = new Set(['shading', 'wireframe', 'turntable']);

/** The controls of the page, read as options. */
export class Panel {
  readonly #form = byId<HTMLFormElement>('controls');
  readonly #tolerance = byId<HTMLInputElement>('tolerance');
  readonly #resolution = byId<HTMLInputElement>('resolution');
  readonly #maxVertices = byId<HTMLInputElement>('max-vertices');
  readonly #creaseAngle = byId<HTMLInputElement>('crease-angle');
  readonly #screenError = byId<HTMLInputElement>('screen-error');
  readonly #backend = byId<HTMLSelectElement>('backend');
  #toleranceUnit = 1e-3;

  /** Whether the tolerance slider stands where it starts, in its mode. */
  get isAtDefaultTolerance(): boolean {
    return this.#choice('mode') === 'tolerance' && Number(this.#tolerance.value) === 0;
  }

  constructor(listener: PanelListener, { hasLod = false } = {}) {
    if (!hasLod) this.#form.querySelector('[data-lod]')?.remove();
    this.#form.addEventListener('submit', (event) => event.preventDefault());
    this.#form.addEventListener('input', (event) => {
      const control = event.target as HTMLInputElement;
      this.#showValues();
      listener(VIEW_CONTROLS.has(control.name || control.id) ? 'view' : 'derive');
    });
    this.#setUpToggle();
    this.#showValues();
  }

  get state(): PanelState {
    return {
      derive: this.#deriveSettings(),
      lod: this.#choice('mode') === 'lod' ? { screenError: this.#pixels() } : null,
      shading: this.#choice('shading') as Shading,
      hasWireframe: byId<HTMLInputElement>('wireframe').checked,
      isTurning: byId<HTMLInputElement>('turntable').checked,
    };
  }

  /** The tolerance in the middle of the slider: the field's default one. */
  setToleranceUnit(unit: number): void {
    this.#toleranceUnit = unit;
    this.#showValues();
  }

  /** What stands below the slider of the error on screen. */
  showLevel(text: string): void {
    const level = byId('level');
    if (level.textContent !== text) level.textContent = text;
  }

  #pixels(): number {
    return 2 ** Number(this.#screenError.value);
  }

  #deriveSettings(): DeriveSettings {
    const mode = this.#choice('mode');
    return {
      ...(mode === 'tolerance' && { tolerance: this.#toleranceValue() }),
      ...(mode === 'resolution' && { resolution: Number(this.#resolution.value) }),
      ...(mode === 'exact' && { exact: true }),
      ...(this.#budget() !== null && { maxVertices: this.#budget() as number }),
      ...(this.#crease() !== null && { creaseAngle: this.#crease() as number }),
      backend: this.#backend.value as 'auto' | 'gpu' | 'cpu' | 'worker',
    };
  }

  #choice(name: string): string {
    return String(new FormData(this.#form).get(name));
  }

  #toleranceValue(): number {
    return Number((this.#toleranceUnit * 10 ** Number(this.#tolerance.value)).toPrecision(2));
  }

  #budget(): number | null {
    const exponent = Number(this.#maxVertices.value);
    return exponent >= MAX_VERTICES_OFF ? null : Number((10 ** exponent).toPrecision(2));
  }

  #crease(): number | null {
    const degrees = Number(this.#creaseAngle.value);
    return degrees >= CREASE_OFF ? null : degrees;
  }

  #showValues(): void {
    const mode = this.#choice('mode');
    for (const part of this.#form.querySelectorAll<HTMLElement>('[data-mode]')) {
      part.hidden = part.dataset.mode !== mode;
    }
    const budget = this.#budget();
    const crease = this.#crease();
    this.#show(this.#tolerance, formatSmall(this.#toleranceValue()));
    this.#show(this.#resolution, this.#resolution.value);
    this.#show(this.#screenError, `${this.#pixels()} px`);
    this.#show(this.#maxVertices, budget === null ? 'no limit' : formatCount(budget));
    this.#show(this.#creaseAngle, crease === null ? 'smooth' : `${crease}°`);
  }

  #show(input: HTMLInputElement, text: string): void {
    const output = this.#form.querySelector<HTMLOutputElement>(`output[for="${input.id}"]`);
    if (output) output.textContent = text;
    input.setAttribute('aria-valuetext', text);
  }

  /** On a phone the panel is a sheet that can be put away. */
  #setUpToggle(): void {
    const toggle = byId<HTMLButtonElement>('panel-toggle');
    const panel = byId('panel');
    toggle.addEventListener('click', () => {
      const isClosed = panel.classList.toggle('is-closed');
      toggle.setAttribute('aria-expanded', String(!isClosed));
      dispatchEvent(new Event('resize'));
    });
  }
}
