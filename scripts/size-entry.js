// What the size budget counts: the core and the three.js plugin as one application that uses all of both.
export * as core from '../dist/index.js';
export * as three from '../dist/three.js';
