/** The course of the error over the steps, its logarithm upwards. */
export class Chart {
  readonly #canvas: HTMLCanvasElement;
  #points: { readonly step: number; readonly error: number }[] = [];

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  clear(): void {
    this.#points = [];
    this.draw(1);
  }

  add(step: number, error: number): void {
    if (step > (this.#points.at(-1)?.step ?? -1)) this.#points.push({ step, error });
  }

  /** @param nSteps where the right edge is. */
  draw(nSteps: number): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const ratio = Math.min(devicePixelRatio, 2);
    this.#canvas.width = width * ratio;
    this.#canvas.height = height * ratio;
    const context = this.#canvas.getContext('2d') as CanvasRenderingContext2D;
    context.scale(ratio, ratio);
    context.strokeStyle = 'rgb(255 255 255 / 9%)';
    context.beginPath();
    for (const share of [0.25, 0.5, 0.75]) {
      context.moveTo(0, Math.round(height * share) + 0.5);
      context.lineTo(width, Math.round(height * share) + 0.5);
    }
    context.stroke();
    if (this.#points.length < 2) return;
    const logs = this.#points.map(({ error }) => Math.log(Math.max(error, 1e-30)));
    const [low, high] = [Math.min(...logs) - 0.2, Math.max(...logs) + 0.2];
    context.beginPath();
    this.#points.forEach(({ step }, i) => {
      const x = (width * step) / Math.max(1, nSteps);
      context.lineTo(x, height * (1 - (logs[i] - low) / (high - low)));
    });
    context.strokeStyle = '#f0ab73';
    context.lineWidth = 1.8;
    context.lineJoin = 'round';
    context.stroke();
  }
}
