import { expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import type { DeriveOptions } from '../../src/options.ts';
import { deriveMesh } from '../../src/pipeline/derive.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { layer, octahedronMlp } from '../fixtures/fields.ts';

/** An octahedron whose first layer is scaled, and the last scaled back: what float32 leaves of that shifts f by a billionth. */
function scaledOctahedron(radius: number, scales: readonly number[]): FieldAsset {
  const rows = scales.flatMap((scale, k) =>
    [1, -1].map((sign) => [0, 1, 2].map((axis) => (axis === k ? sign * scale : 0))),
  );
  const back = scales.flatMap((scale) => [1 / scale, 1 / scale]);
  return { ...octahedronMlp(radius), layers: [layer(rows), layer([back], [-radius])] };
}

// All signs are taken of f and a small offset, but boxes were told off by f's bounds alone: beside lattice vertices that the
// surface passes by less than the offset, boxes that it cuts a corner off were missing, and the mesh was open and "complete".
it.each<[number, readonly number[], DeriveOptions]>([
  [0.75, [1e6, 1e-6, 1], {}],
  [0.75, [1e6, 1e-6, 1], { exact: true }],
  [0.625, [1, 1e6, 1e-6], { tolerance: 0.01 }],
  [0.625, [1, 1e6, 1e-6], { resolution: 64 }],
])(
  'a surface that all but meets lattice vertices is closed: radius %f, scales %o, %o',
  async (radius, scales, options) => {
    const asset = scaledOctahedron(radius, scales);
    const { mesh, stats } = await deriveMesh(asset, options);
    const report = await checkMesh(mesh, {
      field: createCpuField(asset),
      domain: asset.domain,
      samples: 500,
    });
    expect(stats.isComplete).toBe(true);
    expect(report).toMatchObject({
      isClosed: true,
      isManifold: true,
      isOutwardOriented: true,
      nComponents: 1,
    });
  },
);
