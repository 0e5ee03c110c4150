// How far the mesh stands off the zero set, to first order, at the centroids of some triangles; see measureMeshError
// (mesh-error.ts).
//
// Generated code stands around this: fieldWithGradient.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> finish: Finish;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(4) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> normals: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> summary: array<atomic<u32>>;

/// A slope below this share of the one at the corners is taken for it.
const LEAST_SLOPE = 0.25;

fn measureError(item: u32) {
  let n = min(counts[finish.triangles], arrayLength(&triangles));
  let id = select(item, u32(f32(n) * (f32(item) / f32(N_MEASURED))), n > N_MEASURED);
  if (id >= n) { return; }
  let t = triangles[id].corners;
  if (t.x == NONE) { return; }
  let g = fieldWithGradient((vertices[t.x].xyz + vertices[t.y].xyz + vertices[t.z].xyz) / 3.0);
  let usual = (normals[t.x].w + normals[t.y].w + normals[t.z].w) / 3.0;
  let slope = max(length(g.xyz), LEAST_SLOPE * usual);
  atomicMax(&summary[SUMMARY_ERROR], bitcast<u32>(abs(g.w) / max(slope, 1e-30)));
}
