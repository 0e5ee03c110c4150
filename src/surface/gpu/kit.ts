import { diagonalOf as boxDiagonalOf } from '../../box.ts';
import { createFrame } from '../../field/frame.ts';
import { type FieldResources, tableBuffers } from '../../field/gpu/resources.ts';
import { FRAME, fieldFunctions, tableBindings, weightBinding } from '../../field/gpu/wgsl-evaluate.ts';
import { firstLayerVectors } from '../../field/gpu/wgsl-lattice-points.ts';
import { tableWgsl } from '../../field/gpu/wgsl-table.ts';
import { hasTwins, regionNetworkWgsl } from '../../partition/gpu/wgsl-region-network.ts';
import type { SurfaceBuilder } from './structs.ts';

/** The tolerance by place, on the GPU. */
export interface GpuDetail {
  /** `Detail` */
  readonly params: GPUBuffer;
  /** f32, one a block. */
  readonly tolerances: GPUBuffer;
}

/** Bytes of a `Triangle`: no vectors are in it, so nothing is padded. */
export const TRIANGLE_BYTES = 24;

/** A mesh while it is made, see half-edges.wgsl. */
export interface GpuMesh {
  /** vec4<f32> a vertex: position; as bits the faces of the domain that it lies on. */
  readonly vertices: GPUBuffer;
  /** vec4<f32> a vertex: unit normal, slope of f. */
  readonly normals: GPUBuffer;
  /** u32 a vertex, see `MARKS`. */
  readonly marks: GPUBuffer;
  /** `Triangle` */
  readonly triangles: GPUBuffer;
  /** u32, see `SUMMARY_AT`. */
  readonly summary: GPUBuffer;
}

/** WGSL: a network reduced to rectangles or edges, whose corners' first layer is in `firstLayer`. */
export function regionCode(
  { shape, network, nRowVectors, weightSpace }: FieldResources,
  dim: 1 | 2,
  binding: number,
): string {
  return `@group(0) @binding(${binding}) var<${weightSpace}> rows: array<vec4<f32>, ${nRowVectors}>;
const N_VECTORS = ${firstLayerVectors(shape)}u;
${regionNetworkWgsl({ shape, dim, hasStoredF: true, hasTwins: hasTwins(network) })}`;
}

/** WGSL: the field's functions, with weights and tables from a binding on; `frame` has to be bound. */
export function fieldCode(resources: FieldResources, binding: number, hasGradient: boolean): string {
  const { shape } = resources;
  return `${FRAME.wgsl}${tableWgsl(shape)}${weightBinding(resources, binding)}${tableBindings(shape, binding + 1)}
${fieldFunctions(resources, hasGradient)}`;
}

/** The buffers that {@link fieldCode} binds. */
export function fieldBuffers(resources: FieldResources): GPUBuffer[] {
  return [resources.weights, ...tableBuffers(resources)];
}

/** The domain's frame, as `frame`. */
export function uploadFrame(builder: SurfaceBuilder, { asset }: FieldResources): GPUBuffer {
  return builder.uniform('surface.frame', FRAME.pack({ ...createFrame(asset), nPoints: 0 }));
}

/** Of the domain, in local units: what lengths are small against. */
export function diagonalOf({ asset }: FieldResources): number {
  return boxDiagonalOf(asset.domain);
}

/** WGSL: numbers as constants, lists as arrays; all f32. */
export function ruleConstants(rules: Readonly<Record<string, number | readonly number[]>>): string {
  const literal = (x: number): string => (Number.isInteger(x) ? `${x}.0` : `${x}`);
  return Object.entries(rules)
    .map(([name, rule]) =>
      typeof rule === 'number'
        ? `const ${name} = ${literal(rule)};\n`
        : `const ${name} = array<f32, ${rule.length}>(${rule.map(literal).join(', ')});\n`,
    )
    .join('');
}

/** WGSL: the binding of the tolerances by place. */
export function tolerancesWgsl(binding: number): string {
  return `@group(0) @binding(${binding}) var<storage, read> tolerances: array<f32>;\n`;
}
