import { expect, it } from 'vitest';
import { trainField } from '../../src/train/index.ts';

it("ends on an abort on a page's own thread, where it waits for the event loop", async () => {
  const controller = new AbortController();
  const training = trainField(
    {
      domain: { min: [-1, -1, -1], max: [1, 1, 1] },
      distance: (points, out) => {
        for (let i = 0; i < out.length; i++) out[i] = Math.hypot(...points.subarray(i * 3, i * 3 + 3)) - 0.6;
      },
    },
    {
      resolutions: [4],
      hidden: [4],
      steps: 50,
      batchSize: 1024,
      poolSize: 16,
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 1) setTimeout(() => controller.abort(new Error('enough')));
      },
    },
  );
  await expect(training).rejects.toThrow('enough');
});
