import { describe, expect, it } from 'vitest';
import { openDawn } from '../../src/cli/dawn.ts';

describe('openDawn', () => {
  it('says what to install where the package is missing', async () => {
    const missing = openDawn(() => Promise.reject(new Error("Cannot find package 'webgpu'")));
    await expect(missing).rejects.toMatchObject({
      feature: 'webgpu',
      message: expect.stringContaining('npm install webgpu'),
    });
  });

  it('says that a machine has no adapter', async () => {
    const create = () => ({ requestAdapter: async () => null }) as unknown as GPU;
    await expect(openDawn(async () => ({ create }))).rejects.toMatchObject({ code: 'gpu', stage: 'device' });
  });

  it('ends the device that it opened', async () => {
    let isEnded = false;
    const device = {
      lost: new Promise(() => {}),
      features: new Set(),
      destroy: () => {
        isEnded = true;
      },
    };
    const adapter = { features: new Set(), info: { vendor: 'test' }, requestDevice: async () => device };
    const dawn = await openDawn(async () => ({
      create: () => ({ requestAdapter: async () => adapter }) as unknown as GPU,
    }));
    expect(dawn.device).toBe(device);
    dawn.close();
    expect(isEnded).toBe(true);
  });
});
