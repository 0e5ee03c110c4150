/** RGBA of a canvas, read in the task in which it was drawn: WebGL and WebGPU both forget it after. */
export function readPixels(canvas: HTMLCanvasElement): Uint8ClampedArray {
  const copy = document.createElement('canvas');
  copy.width = canvas.width;
  copy.height = canvas.height;
  const context = copy.getContext('2d') as CanvasRenderingContext2D;
  context.drawImage(canvas, 0, 0);
  return context.getImageData(0, 0, copy.width, copy.height).data;
}

/** The part of the pixels that differ from the colour of the first one, the background, in [0, 1]. */
export function coverage(pixels: Uint8ClampedArray): number {
  let nDrawn = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    const difference = [0, 1, 2].reduce((sum, c) => sum + Math.abs(pixels[i + c] - pixels[c]), 0);
    if (difference > 24) nDrawn++;
  }
  return nDrawn / (pixels.length / 4);
}

/** RGB in the middle of a square canvas. */
export function centerColor(pixels: Uint8ClampedArray): number[] {
  const size = Math.sqrt(pixels.length / 4);
  const at = (Math.floor(size / 2) * size + Math.floor(size / 2)) * 4;
  return [...pixels.subarray(at, at + 3)];
}
