@group(0) @binding(0) var<uniform> march: March;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> cases: array<u32>;
@group(0) @binding(3) var<storage, read> vertexOffsets: array<u32>;
@group(0) @binding(4) var<storage, read> vertexSums: array<u32>;
@group(0) @binding(5) var<storage, read> triangleOffsets: array<u32>;
@group(0) @binding(6) var<storage, read> triangleSums: array<u32>;
@group(0) @binding(7) var<storage, read_write> positions: array<f32>;
@group(0) @binding(8) var<storage, read_write> indices: array<u32>;

fn emitVertices(i: u32, p: vec3<u32>, crossed: vec3<bool>) {
  var at = vertexOffsets[i] + vertexSums[i / SCAN_BLOCK];
  let a = values[i];
  for (var axis = 0u; axis < 3u; axis++) {
    if (!crossed[axis]) { continue; }
    var q = p;
    q[axis]++;
    var local = vec3<f32>(p);
    local[axis] += a / (a - values[indexOf(q)]);
    let position = march.low + local * march.step;
    positions[at * 3u] = position.x;
    positions[at * 3u + 1u] = position.y;
    positions[at * 3u + 2u] = position.z;
    at++;
  }
}

/// The vertex on an edge of the point's cell: 4 * axis + j, see the table.
fn vertexOn(p: vec3<u32>, edge: u32) -> u32 {
  let axis = edge / 4u;
  let near = cases[EDGE_CORNER + edge];
  let q = p + (vec3<u32>(near, near >> 1u, near >> 2u) & vec3<u32>(1u));
  let j = indexOf(q);
  let crossed = crossings(q);
  var rank = 0u;
  if (axis > 0u && crossed.x) { rank++; }
  if (axis > 1u && crossed.y) { rank++; }
  return vertexOffsets[j] + vertexSums[j / SCAN_BLOCK] + rank;
}

@compute @workgroup_size(64)
fn emit(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = itemIndex(group, nGroups, local);
  if (i >= march.nPoints) { return; }
  let p = pointAt(i);
  let crossed = crossings(p);
  if (any(crossed)) { emitVertices(i, p, crossed); }
  if (any(p >= march.cells)) { return; }
  let signs = caseOf(p);
  if (signs == 0u || signs == 255u) { return; }
  var at = (triangleOffsets[i] + triangleSums[i / SCAN_BLOCK]) * 3u;
  for (var t = cases[signs] * 3u; t < cases[signs + 1u] * 3u; t++) {
    indices[at] = vertexOn(p, cases[FIRST_TRIANGLE + t]);
    at++;
  }
}
