import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ENTRIES } from '../../scripts/entries.ts';
import '@babylonjs/core/Loading/sceneLoader.js';
import '@babylonjs/core/Meshes/geometry.js';
import '@babylonjs/loaders/glTF/2.0/Extensions/dynamic.js';
import '@babylonjs/loaders/glTF/2.0/glTFLoader.js';
import '@gltf-transform/core';
import 'three';
import 'three/addons/loaders/GLTFLoader.js';

/** What a browser has and a server lacks. The engines above look at some of it when they load; we may not. */
const BROWSER_GLOBALS = [
  'window',
  'document',
  'navigator',
  'Worker',
  'indexedDB',
  'localStorage',
  'location',
];

const saved = new Map<string, PropertyDescriptor | undefined>();

beforeEach(() => {
  for (const name of BROWSER_GLOBALS) {
    saved.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, {
      configurable: true,
      get: () => {
        throw new Error(`${name} was used while a module was loaded`);
      },
    });
  }
});

afterEach(() => {
  for (const [name, descriptor] of saved) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    else Reflect.deleteProperty(globalThis, name);
  }
});

describe('importing an entry touches no DOM, GPU or worker', () => {
  test.each(Object.values(ENTRIES))('%s', async (path) => {
    const entry = await import(/* @vite-ignore */ `../../${path}`);
    expect(Object.keys(entry).length).toBeGreaterThan(0);
  });

  test('the traps work', () => {
    expect(() => typeof document).toThrow('document was used');
  });
});
