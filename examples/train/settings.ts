import {
  nestedResolutions,
  TRAIN_PRESETS,
  type TrainBackend,
  type TrainOptions,
} from '../../src/train/index.ts';
import { byId, formatCount, formatSmall } from '../viewer/dom.ts';
import type { Shown } from './scene.ts';

/** What the sliders are set to, as options. */
export interface TrainSettings {
  readonly train: Pick<TrainOptions, 'steps' | 'resolutions' | 'hidden' | 'weights' | 'backend'>;
  /** Of the finished mesh, in sides of the input's box. */
  readonly tolerance: number;
  readonly shown: Shown;
  readonly isHot: boolean;
}

/** What a control changes: the next training, the mesh of the one that is over, or the picture. */
export type SettingsListener = (what: 'train' | 'mesh' | 'look') => void;

/** The page's controls. */
export class Settings {
  readonly #form = byId<HTMLFormElement>('controls');

  constructor(listener: SettingsListener) {
    this.#form.reset();
    this.#form.addEventListener('submit', (event) => event.preventDefault());
    this.#form.addEventListener('input', ({ target }) => {
      const control = target as HTMLInputElement;
      if (control.name === 'preset') this.#takePreset();
      this.#showValues();
      listener((control.closest<HTMLElement>('[data-change]')?.dataset.change ?? 'look') as 'look');
    });
    this.#takePreset();
    this.#showValues();
  }

  get values(): TrainSettings {
    return {
      train: {
        steps: this.#steps(),
        resolutions: this.#resolutions(),
        hidden: this.#hidden(),
        backend: this.#value('backend') as TrainBackend | 'auto',
        weights: {
          eikonal: this.#weight('eikonal'),
          normal: this.#weight('normal'),
          curvature: this.#weight('curvature'),
        },
      },
      tolerance: this.#tolerance(),
      shown: this.#value('shown') as Shown,
      isHot: this.#control('heat').checked,
    };
  }

  /** Presses a control as a person would. */
  press(name: string): void {
    this.#control(name).click();
  }

  /** Sets sliders to what a preset stands for. */
  #takePreset(): void {
    const { steps, resolutions, hidden } = TRAIN_PRESETS[this.#value('preset') as keyof typeof TRAIN_PRESETS];
    this.#control('steps').value = String(Math.log10(steps));
    this.#control('levels').value = String(resolutions.length);
    this.#control('finest').value = String(resolutions[resolutions.length - 1]);
    this.#control('hidden').value = String(hidden[0]);
  }

  #steps(): number {
    return Number((10 ** this.#number('steps')).toPrecision(2));
  }

  /** The second layer is half as wide, as the presets have it. */
  #hidden(): number[] {
    const width = this.#number('hidden');
    return [width, width / 2];
  }

  #resolutions(): number[] {
    // Of a coarse grid there are fewer levels: each has a box at least.
    return nestedResolutions(this.#number('levels'), this.#number('finest')).filter((n) => n >= 2);
  }

  /** The left end of a weight's slider is none at all. */
  #weight(name: string): number {
    const control = this.#control(name);
    return control.value === control.min ? 0 : Number((10 ** Number(control.value)).toPrecision(2));
  }

  #tolerance(): number {
    return Number((10 ** this.#number('tolerance')).toPrecision(2));
  }

  #control(name: string): HTMLInputElement {
    return byId<HTMLInputElement>(name);
  }

  #value(name: string): string {
    return String(new FormData(this.#form).get(name));
  }

  #number(name: string): number {
    return Number(this.#value(name));
  }

  #showValues(): void {
    const weight = (name: string) => (this.#weight(name) === 0 ? 'off' : formatSmall(this.#weight(name)));
    const texts: Record<string, string> = {
      steps: formatCount(this.#steps()),
      levels: this.#resolutions()
        .map((n) => Math.round(n))
        .join(' · '),
      finest: this.#value('finest'),
      hidden: this.#hidden().join(' · '),
      eikonal: weight('eikonal'),
      normal: weight('normal'),
      curvature: weight('curvature'),
      tolerance: formatSmall(this.#tolerance()),
    };
    for (const [name, text] of Object.entries(texts)) {
      (this.#form.querySelector(`output[for="${name}"]`) as HTMLOutputElement).textContent = text;
      this.#control(name).setAttribute('aria-valuetext', text);
    }
  }
}
