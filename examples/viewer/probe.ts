import { byId, formatSmall } from './dom.ts';
import type { Point, Slice, Stage } from './stage.ts';

/** Says what the fields are where somebody points: on the surface, or on the slice in front of it. */
export class Probe {
  readonly #stage: Stage;
  readonly #label = byId('probe');
  slice: Slice | null = null;
  #isOn = false;

  constructor(stage: Stage, canvas: HTMLCanvasElement) {
    this.#stage = stage;
    canvas.addEventListener('pointermove', (event) => {
      if (event.buttons === 0) this.#show(event.clientX, event.clientY);
    });
    canvas.addEventListener('pointerup', (event) => this.#show(event.clientX, event.clientY));
    canvas.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'mouse') this.#label.hidden = true;
    });
    canvas.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') this.#show(canvas.clientWidth / 2, canvas.clientHeight / 2);
    });
  }

  /** To be set again when what is shown has changed: what was said is no longer true then. */
  set isOn(isOn: boolean) {
    this.#isOn = isOn;
    this.#label.hidden = true;
  }

  #show(x: number, y: number): void {
    const point = this.#isOn ? this.#pointAt(x, y) : null;
    this.#label.hidden = point === null;
    if (!point) return;
    const [distance, gradient] = this.#sample(point);
    const side = distance < 0 ? 'inside' : 'outside';
    const lines = [
      `distance ${formatSmall(distance)} (${side})`,
      `gradient length ${gradient.toPrecision(3)}`,
      `at ${point.map(formatSmall).join(', ')}`,
    ];
    (this.#label.querySelector('p') as HTMLElement).textContent = lines.join('\n');
    this.#label.style.translate = `${x}px ${y}px`;
    this.#label.classList.toggle('is-left', x > innerWidth - 240);
  }

  /** Where the ray first meets something: the slice, or the surface where the slice has left it. */
  #pointAt(x: number, y: number): Point | null {
    const { origin, direction, hits } = this.#stage.pick(x, y);
    const along = (t: number): Point =>
      [0, 1, 2].map((i) => origin[i] + t * direction[i]) as unknown as Point;
    const { slice } = this;
    const candidates = slice ? hits.filter((t) => along(t)[slice.axis] <= slice.at) : [...hits];
    if (slice) {
      const t = (slice.at - origin[slice.axis]) / direction[slice.axis];
      if (t > 0 && isWithin(along(t), slice.corners)) candidates.push(t);
    }
    return candidates.length === 0 ? null : along(Math.min(...candidates));
  }

  /** Distance and length of the gradient of the field that is nearest. */
  #sample(point: Point): [distance: number, gradientLength: number] {
    const samples = this.#stage.fields.map((field) => field.sampleWorld(point));
    const nearest = samples.reduce((a, b) => (b.distances[0] < a.distances[0] ? b : a));
    return [nearest.distances[0], Math.hypot(...nearest.gradients)];
  }
}

function isWithin(point: Point, corners: readonly Point[]): boolean {
  return point.every((value, i) => {
    const all = corners.map((corner) => corner[i]);
    // On the plane's own axis the corners are equal, and rounding is not to matter.
    return Math.min(...all) === Math.max(...all) || (value >= Math.min(...all) && value <= Math.max(...all));
  });
}
