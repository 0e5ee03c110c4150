import { expect, test } from 'vitest';
import { deriveGpuMesh, prepareGpu } from '../../src/index.ts';
import { sphereField } from '../fixtures/fields.ts';

test('a mesh on the GPU needs to know whose', async () => {
  const options = { tolerance: 0.1 } as unknown as Parameters<typeof deriveGpuMesh>[1];
  await expect(deriveGpuMesh(sphereField(), options)).rejects.toMatchObject({
    code: 'argument',
    message: expect.stringContaining('needs the GPUDevice'),
  });
});

test('bad options are refused before anything is loaded', async () => {
  const device = { createBuffer: () => {} } as unknown as GPUDevice;
  await expect(deriveGpuMesh(sphereField(), { device, tolerance: -1 })).rejects.toThrow(/tolerance is -1/);
});

test('nothing is prepared where there is no WebGPU', async () => {
  expect(await prepareGpu(sphereField(), { backend: 'gpu' })).toBe(false);
});
