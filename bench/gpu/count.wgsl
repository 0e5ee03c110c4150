@group(0) @binding(0) var<uniform> march: March;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> cases: array<u32>;
@group(0) @binding(3) var<storage, read_write> nVertices: array<u32>;
@group(0) @binding(4) var<storage, read_write> nTriangles: array<u32>;

@compute @workgroup_size(64)
fn count(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = itemIndex(group, nGroups, local);
  if (i >= march.nPoints) { return; }
  let p = pointAt(i);
  let crossed = crossings(p);
  nVertices[i] = u32(crossed.x) + u32(crossed.y) + u32(crossed.z);
  var triangles = 0u;
  if (all(p < march.cells)) {
    let signs = caseOf(p);
    triangles = cases[signs + 1u] - cases[signs];
  }
  nTriangles[i] = triangles;
}
