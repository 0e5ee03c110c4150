import { WebGPURenderer } from 'three/webgpu';
import { expect, it } from 'vitest';
import { writeNsdf } from '../../src/index.ts';
import { detectSupport, NSDFLoader } from '../../src/three/index.ts';
import { multiField } from '../fixtures/fields.ts';

it("derives on the renderer's device", async () => {
  const renderer = new WebGPURenderer();
  await renderer.init();
  const { device } = detectSupport(renderer);
  expect(device).not.toBeNull();
  const labels: string[] = [];
  const create = device!.createBuffer.bind(device);
  device!.createBuffer = (descriptor) => {
    labels.push(descriptor.label ?? '');
    return create(descriptor);
  };
  const loader = new NSDFLoader().setTolerance(5e-3).setPartitionCache(false);
  const bytes = writeNsdf(multiField());
  const group = await loader.setBackend('gpu').setDevice(device).parseAsync(bytes);
  expect(group.fields[0].stats?.backend).toBe('gpu');
  expect(labels).toContain('nsdf.cull.found');
  renderer.dispose();
});
