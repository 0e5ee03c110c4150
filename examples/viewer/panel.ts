import { byId, formatCount, formatSmall } from './dom.ts';
import type { SliceRequest } from './slice.ts';
import type { Background, DeriveRequest, LodRequest, Look, Shading } from './stage.ts';

/** Ends of the sliders that mean "no limit" and "never". */
const MAX_VERTICES_OFF = 5.1;
const CREASE_OFF = 95;

/** What the panel asks for. */
export interface PanelState {
  readonly derive: DeriveRequest;
  /** Levels of detail by their error on screen, or null for a single mesh. */
  readonly lod: LodRequest | null;
  readonly look: Look;
  readonly slice: SliceRequest | null;
  readonly isProbing: boolean;
}

/** What a control changes, the `data-change` of its group, and which control it was. */
export type PanelListener = (what: 'derive' | 'look' | 'inspect', control: string) => void;

/** The controls of the page, read as options. */
export class Panel {
  readonly #form = byId<HTMLFormElement>('controls');
  readonly #defaults: URLSearchParams;
  #toleranceUnit = 1e-3;

  constructor(listener: PanelListener) {
    // What was pressed before this script was here is no default.
    this.#form.reset();
    this.#defaults = this.#values();
    this.#form.addEventListener('submit', (event) => event.preventDefault());
    this.#form.addEventListener('input', (event) => {
      const control = event.target as HTMLInputElement;
      this.#showValues();
      const change = control.closest<HTMLElement>('[data-change]')?.dataset.change ?? 'look';
      listener(change as 'derive' | 'look' | 'inspect', control.name);
    });
    this.#showValues();
  }

  /** Whether the tolerance slider stands where it starts, in its mode. */
  get isAtDefaultTolerance(): boolean {
    return this.#value('mode') === 'tolerance' && this.#number('tolerance') === 0;
  }

  get state(): PanelState {
    const axis = 'xyz'.indexOf(this.#value('slice') || '-');
    return {
      derive: this.#deriveRequest(),
      lod: this.#value('mode') === 'lod' ? { screenError: this.#pixels() } : null,
      look: {
        shading: this.#value('shading') as Shading,
        hasWireframe: this.#isOn('wireframe'),
        isTurning: this.#isOn('turntable'),
        background: this.#value('background') as Background,
        environment: this.#value('environment'),
      },
      slice:
        axis < 0
          ? null
          : {
              axis: axis as 0 | 1 | 2,
              fraction: this.#number('slice-at'),
              hasDistances: this.#isOn('slice-field'),
            },
      isProbing: this.#isOn('probing'),
    };
  }

  /** The controls that are not as the page starts, by name. */
  get changes(): URLSearchParams {
    const changes = new URLSearchParams();
    const values = this.#values();
    for (const name of new Set([...values.keys(), ...this.#defaults.keys()])) {
      const value = values.get(name) ?? 'off';
      if (value !== (this.#defaults.get(name) ?? 'off')) changes.set(name, value);
    }
    return changes;
  }

  /** Sets controls by name; what a control cannot be set to is passed over. */
  restore(changes: URLSearchParams): void {
    for (const [name, value] of changes) {
      const controls = this.#form.querySelectorAll<HTMLInputElement | HTMLSelectElement>(
        `[name="${CSS.escape(name)}"]`,
      );
      for (const control of controls) setControl(control, value);
    }
    this.#showValues();
  }

  /** Sets a control and tells of it, as a person would; `value` null turns a switch over. */
  change(name: string, value: string | null): void {
    const control = this.#form.querySelector(`[name="${name}"]${value ? `[value="${value}"]` : ''}`);
    (control as HTMLInputElement | null)?.click();
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

  #values(): URLSearchParams {
    return new URLSearchParams([...new FormData(this.#form)].map(([name, value]) => [name, String(value)]));
  }

  #value(name: string): string {
    return String(new FormData(this.#form).get(name));
  }

  #number(name: string): number {
    return Number(this.#value(name));
  }

  #isOn(name: string): boolean {
    return new FormData(this.#form).has(name);
  }

  #pixels(): number {
    return 2 ** this.#number('screen-error');
  }

  #deriveRequest(): DeriveRequest {
    const mode = this.#value('mode');
    const budget = this.#budget();
    const crease = this.#crease();
    return {
      // A field's own scale is known only once it is read; until the slider is moved its default is right.
      ...(mode === 'tolerance' && !this.isAtDefaultTolerance && { tolerance: this.#toleranceValue() }),
      ...(mode === 'resolution' && { resolution: this.#number('resolution') }),
      ...(mode === 'exact' && { exact: true }),
      ...(budget !== null && { maxVertices: budget }),
      ...(crease !== null && { creaseAngle: crease }),
      backend: this.#value('backend') as 'auto' | 'gpu' | 'cpu' | 'worker',
    };
  }

  #toleranceValue(): number {
    return Number((this.#toleranceUnit * 10 ** this.#number('tolerance')).toPrecision(2));
  }

  #budget(): number | null {
    const exponent = this.#number('max-vertices');
    return exponent >= MAX_VERTICES_OFF ? null : Number((10 ** exponent).toPrecision(2));
  }

  #crease(): number | null {
    const degrees = this.#number('crease-angle');
    return degrees >= CREASE_OFF ? null : degrees;
  }

  #showValues(): void {
    const parts: readonly [attribute: string, value: string][] = [
      ['data-mode', this.#value('mode')],
      ['data-slice', this.#value('slice') === 'off' ? 'off' : 'on'],
    ];
    for (const [attribute, value] of parts) {
      for (const part of this.#form.querySelectorAll<HTMLElement>(`[${attribute}]`)) {
        part.hidden = part.getAttribute(attribute) !== value;
      }
    }
    const budget = this.#budget();
    const crease = this.#crease();
    this.#show('tolerance', formatSmall(this.#toleranceValue()));
    this.#show('resolution', this.#value('resolution'));
    this.#show('screen-error', `${this.#pixels()} px`);
    this.#show('max-vertices', budget === null ? 'no limit' : formatCount(budget));
    this.#show('crease-angle', crease === null ? 'smooth' : `${crease}°`);
    this.#show('slice-at', `${Math.round(this.#number('slice-at') * 100)} %`);
  }

  #show(id: string, text: string): void {
    const output = this.#form.querySelector<HTMLOutputElement>(`output[for="${id}"]`);
    if (output) output.textContent = text;
    byId(id).setAttribute('aria-valuetext', text);
  }
}

function setControl(control: HTMLInputElement | HTMLSelectElement, value: string): void {
  if (control.type === 'radio') (control as HTMLInputElement).checked ||= control.value === value;
  else if (control.type === 'checkbox') (control as HTMLInputElement).checked = value !== 'off';
  else if (control.type === 'range') control.value = value;
  else if ([...(control as HTMLSelectElement).options].some((option) => option.value === value))
    control.value = value;
}
