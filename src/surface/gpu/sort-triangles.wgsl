// Puts the triangles that are left into cells: see triangle-cells.wgsl.

@group(0) @binding(0) var<uniform> detail: Detail;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
/// Triangles that are left.
@group(0) @binding(2) var<storage, read> listed: array<u32>;
@group(0) @binding(3) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(4) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> cells: array<atomic<u32>>;

fn sortTriangle(item: u32) {
  let t = vectorOf(triangles[listed[item]].corners);
  let words = wordsOf(item);
  var low = vertices[t.x].xyz;
  var high = low;
  for (var corner = 0u; corner < 3u; corner++) {
    let p = vertices[t[corner]].xyz;
    low = min(low, p);
    high = max(high, p);
    for (var k = 0u; k < 3u; k++) { atomicStore(&cells[words + 1u + 3u * corner + k], bitcast<u32>(p[k])); }
  }
  var division = 0u;
  while (division + 1u < N_DIVISIONS && any(high - low > cellSize(division))) { division++; }
  let head = headOf(cellAt(0.5 * (low + high), division), division);
  atomicStore(&cells[words], atomicExchange(&cells[head], item + 1u));
}
