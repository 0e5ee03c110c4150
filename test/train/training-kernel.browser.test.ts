import { afterEach, describe, expect, it, vi } from 'vitest';
import { LOSS_WEIGHT_DEFAULTS, SAMPLE_STRIDE } from '../../src/train/gradient.ts';
import { TrainableField } from '../../src/train/trainable-field.ts';
import { chooseKernel } from '../../src/train/training-kernel.ts';
import { between, seededRandom } from '../fixtures/random.ts';

const SHAPE = { resolutions: [3, 7.3], nFeaturesPerLevel: 2, hidden: [7] };

function randomSamples(n: number): Float64Array {
  const random = seededRandom(5);
  return Float64Array.from({ length: n * SAMPLE_STRIDE }, () => between(random, -0.5, 0.5));
}

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

describe('chooseKernel in a page', () => {
  it("takes WebAssembly on the page's thread, with JavaScript's gradients", async () => {
    const field = new TrainableField(SHAPE, 3);
    const [wasm, javascript] = await Promise.all(
      (['wasm', 'javascript'] as const).map((kind) => chooseKernel(field, LOSS_WEIGHT_DEFAULTS, kind)),
    );
    expect([wasm.kernel.kind, wasm.kernelReason]).toEqual(['wasm', undefined]);
    const [found, expected] = [wasm, javascript].map(({ kernel }) => {
      kernel.accumulate(randomSamples(50), 50);
      return kernel.takeGradient().mlp;
    });
    const scale = Math.max(...expected.map(Math.abs));
    expected.forEach((x, i) => {
      expect(Math.abs(found[i] - x) / scale, `gradient ${i}`).toBeLessThan(2e-6);
    });
  });

  it.each([
    { policy: "script-src 'self'", kind: 'javascript', reason: /Content Security Policy|unsafe-eval/ },
    { policy: "script-src 'self' 'wasm-unsafe-eval'", kind: 'wasm', reason: /^undefined$/ },
  ])('takes $kind under the policy $policy', async ({ policy, kind, reason }) => {
    const frame = document.createElement('iframe');
    frame.srcdoc = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
    await new Promise((resolve) => {
      frame.onload = resolve;
      document.body.append(frame);
    });
    // What another document's WebAssembly compiles is under that document's policy.
    const { WebAssembly: api } = frame.contentWindow as unknown as typeof globalThis;
    vi.stubGlobal('WebAssembly', api);
    const { kernel, kernelReason } = await chooseKernel(
      new TrainableField(SHAPE, 3),
      LOSS_WEIGHT_DEFAULTS,
      'wasm',
    );
    expect(kernel.kind).toBe(kind);
    expect(`${kernelReason}`).toMatch(reason);
  });
});
