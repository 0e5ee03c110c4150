import { createRoot, extend, type ReconcilerRoot, useLoader } from '@react-three/fiber';
import { Component, createElement, type ReactNode, Suspense } from 'react';
import { Group, LoadingManager } from 'three';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { writeNsdf } from '../../src/format/write.ts';
import { type NSDFGroup, NSDFLoader } from '../../src/three/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { until } from '../pipeline/event-turns.ts';

let root: ReconcilerRoot<HTMLCanvasElement> | undefined;
let url = '';

beforeAll(() => {
  extend({ Group });
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
  await until(() => scene.children.length === 1);
  const group = scene.children[0] as NSDFGroup;
  expect(group.fields).toHaveLength(1);
  expect(configure).toHaveBeenCalled();
  root?.unmount();
  // Fiber keeps loader and result: both are used again.
  const again = await mount(suspended({ from: url, configure }));
  await until(() => again.children.length === 1);
  expect(again.children[0]).toBe(group);
  expect(group.fields[0].geometry!.index!.count).toBeGreaterThan(0);
  useLoader.clear(NSDFLoader, url);
});

it('shows the fallback while it loads, and tells how far it is', async () => {
  const phases = new Set<string>();
  const onDownload = vi.fn();
  const own = `${url}#progress`;
  const Reporting = () =>
    createElement('primitive', {
      object: useLoader(
        NSDFLoader,
        own,
        (loader) => loader.setResolution(8).setProgress(({ phase }) => phases.add(phase)),
        onDownload,
      ),
    });
  const waiting = createElement('group', { name: 'waiting' });
  const scene = await mount(createElement(Suspense, { fallback: waiting }, createElement(Reporting)));
  await until(() => scene.children.length > 0);
  expect(scene.children.map(({ name }) => name)).toEqual(['waiting']);
  await until(() => (scene.children[0] as NSDFGroup)?.isNSDFGroup);
  expect(scene.children).toHaveLength(1);
  expect([...phases]).toEqual(['download', 'derive']);
  expect(onDownload.mock.calls[0][0]).toBeInstanceOf(ProgressEvent);
  useLoader.clear(NSDFLoader, own);
});

it('gives each URL the tolerance that was set for it, though fiber shares one loader', async () => {
  const [coarse, fine] = [`${url}#coarse`, `${url}#fine`];
  const tolerances: Record<string, number> = { [coarse]: 0.1, [fine]: 0.02 };
  const each = Object.keys(tolerances).map((from) =>
    createElement(Field, { key: from, from, configure: (loader) => loader.setTolerance(tolerances[from]) }),
  );
  const alone = each.map((element) => createElement(Suspense, { key: element.key, fallback: null }, element));
  const scene = await mount(createElement('group', null, ...alone));
  const groups = () => (scene.children[0]?.children ?? []) as NSDFGroup[];
  await until(() => groups().length === 2);
  expect(groups().map(({ fields }) => fields[0].stats?.toleranceLocal)).toEqual([0.1, 0.02]);
  for (const from of Object.keys(tolerances)) useLoader.clear(NSDFLoader, from);
});

/** Where React's errors end. */
class Boundary extends Component<{ onError: (error: Error) => void; children?: ReactNode }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override componentDidCatch(error: Error): void {
    this.props.onError(error);
  }

  override render(): ReactNode {
    return this.state.hasFailed ? createElement('group', { name: 'failed' }) : this.props.children;
  }
}

it('hands failures to the error boundary, as Errors', async () => {
  const onError = vi.fn<(error: Error) => void>();
  // Fiber reports caught errors to the page as well, where vitest would take them for failures of the test.
  const report = vi.spyOn(globalThis, 'reportError').mockImplementation(() => undefined);
  const missing = suspended({ from: '/nothing-here.nsdf' });
  const scene = await mount(createElement(Boundary, { onError }, missing));
  await until(() => onError.mock.calls.length === 1);
  const [[error]] = onError.mock.calls;
  expect(error).toBeInstanceOf(Error);
  expect(error.message).toMatch(/Could not load \/nothing-here\.nsdf: .*404/);
  expect(scene.children.map(({ name }) => name)).toEqual(['failed']);
  report.mockRestore();
  useLoader.clear(NSDFLoader, '/nothing-here.nsdf');
});

it('ends what is loading when the shared loader is disposed, and loads again after', async () => {
  const onError = vi.fn<(error: Error) => void>();
  const own = `${url}#slow`;
  let shared: NSDFLoader | undefined;
  const configure = (loader: NSDFLoader) => {
    shared = loader.setTolerance(1e-4);
  };
  await mount(createElement(Boundary, { onError }, suspended({ from: own, configure })));
  await until(() => shared !== undefined);
  root?.unmount();
  shared?.dispose();
  useLoader.clear(NSDFLoader, own);
  const scene = await mount(suspended({ from: own, configure: (loader) => loader.setTolerance(0.05) }));
  await until(() => scene.children.length === 1);
  expect((scene.children[0] as NSDFGroup).fields[0].stats?.toleranceLocal).toBe(0.05);
  expect(onError).not.toHaveBeenCalled();
  useLoader.clear(NSDFLoader, own);
});

it('takes a loader of its own with a manager', async () => {
  const onLoad = vi.fn();
  const loader = new NSDFLoader(new LoadingManager(onLoad)).setResolution(6);
  const Own = () => createElement('primitive', { object: useLoader(loader, url) });
  const scene = await mount(createElement(Suspense, { fallback: null }, createElement(Own)));
  await until(() => scene.children.length === 1);
  await until(() => onLoad.mock.calls.length === 1);
  loader.dispose();
  expect(await loader.loadAsync(url)).toBeDefined();
});
