import { createRoot, type ReconcilerRoot, useLoader } from '@react-three/fiber';
import { createElement, type ReactNode, Suspense } from 'react';
import { LoadingManager } from 'three';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { writeNsdf } from '../../src/format/write.ts';
import { type NSDFGroup, NSDFLoader } from '../../src/three/index.ts';
import { sphereField } from '../fixtures/fields.ts';

let root: ReconcilerRoot<HTMLCanvasElement> | undefined;
let url = '';

beforeAll(() => {
  const bytes = writeNsdf(sphereField({ cells: [4] })) as Uint8Array<ArrayBuffer>;
  url = URL.createObjectURL(new Blob([bytes]));
  return () => URL.revokeObjectURL(url);
});

afterEach(() => {
  root?.unmount();
  root = undefined;
});

/** Renders into a fresh canvas and gives the scene that fiber made. */
async function mount(element: ReactNode) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 64;
  root = createRoot(canvas);
  await root.configure({ frameloop: 'never', size: { width: 64, height: 64, top: 0, left: 0 } });
  return root.render(element).getState().scene;
}

function Field({ from, configure }: { from: string; configure?: (loader: NSDFLoader) => void }) {
  const scene = useLoader(NSDFLoader, from, configure);
  return createElement('primitive', { object: scene });
}

const suspended = (props: { from: string; configure?: (loader: NSDFLoader) => void }) =>
  createElement(Suspense, { fallback: null }, createElement(Field, props));

it('loads through useLoader, configured by chained setters, and survives unmounting', async () => {
  const configure = vi.fn((loader: NSDFLoader) => loader.setResolution(8).setCreaseAngle(null));
  const scene = await mount(suspended({ from: url, configure }));
  await vi.waitFor(() => expect(scene.children).toHaveLength(1), { timeout: 5000 });
  const group = scene.children[0] as NSDFGroup;
  expect(group.fields).toHaveLength(1);
  expect(configure).toHaveBeenCalled();
  root?.unmount();
  // Fiber keeps loader and result: both are used again.
  const again = await mount(suspended({ from: url, configure }));
  await vi.waitFor(() => expect(again.children).toHaveLength(1), { timeout: 5000 });
  expect(again.children[0]).toBe(group);
  expect(group.fields[0].geometry!.index!.count).toBeGreaterThan(0);
  useLoader.clear(NSDFLoader, url);
});

it('hands failures on as Errors', async () => {
  const onError = vi.fn();
  const Guarded = () => {
    try {
      return Field({ from: '/nothing-here.nsdf' });
    } catch (thrown) {
      if (thrown instanceof Promise) throw thrown;
      onError(thrown);
      return null;
    }
  };
  await mount(createElement(Suspense, { fallback: null }, createElement(Guarded)));
  await vi.waitFor(() => expect(onError).toHaveBeenCalled(), { timeout: 5000 });
  const error: Error = onError.mock.calls[0][0];
  expect(error).toBeInstanceOf(Error);
  expect(error.message).toMatch(/Could not load \/nothing-here\.nsdf: .*404/);
  useLoader.clear(NSDFLoader, '/nothing-here.nsdf');
});

it('takes a loader of its own with a manager', async () => {
  const onLoad = vi.fn();
  const loader = new NSDFLoader(new LoadingManager(onLoad)).setResolution(6);
  const Own = () => createElement('primitive', { object: useLoader(loader, url) });
  const scene = await mount(createElement(Suspense, { fallback: null }, createElement(Own)));
  await vi.waitFor(() => expect(scene.children).toHaveLength(1), { timeout: 5000 });
  await vi.waitFor(() => expect(onLoad).toHaveBeenCalledOnce());
  loader.dispose();
  expect(await loader.loadAsync(url)).toBeDefined();
});
