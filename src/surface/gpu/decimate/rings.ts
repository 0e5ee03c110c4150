import { COLLAPSE } from '../../rules.ts';
import ringsWgsl from './rings.wgsl';

/** WGSL: going around a vertex, from half-edge to half-edge that begin there. */
export const RINGS_WGSL = `/// Triangles around a vertex, at most.
const MAX_RING = ${COLLAPSE.maxRing}u;
${ringsWgsl}`;
