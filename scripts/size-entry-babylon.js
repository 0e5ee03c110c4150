// What the size budget counts: all of the Babylon.js plugin, of its sources, where the core is one file to leave out.
export * as babylon from '../src/babylon/index.ts';
export * as pure from '../src/babylon/pure.ts';
