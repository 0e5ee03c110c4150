// The triangles that are left. Whatever is not as it has to be is counted: sides that are paired wrongly, open sides inside
// the box, edges between the same two vertices as another one, triangles without area.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read_write> slots: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> summary: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(5) var<storage, read> vertices: array<vec4<f32>>;
/// By vertex: its number in the output.
@group(0) @binding(6) var<storage, read> numbers: array<u32>;
@group(0) @binding(7) var<storage, read_write> outIndices: array<u32>;

fn keyOfItem(h: u32) -> vec3<u32> {
  let a = originOf(h);
  let b = targetOf(h);
  return vec3<u32>(min(a, b), max(a, b), 0u);
}

fn facesOf(vertex: u32) -> u32 { return bitcast<u32>(vertices[vertex].w); }

fn checkSide(h: u32) {
  let twin = twinOf(h);
  let a = originOf(h);
  let b = targetOf(h);
  if (twin == NONE) {
    if ((facesOf(a) & facesOf(b)) == 0u) { atomicAdd(&summary[SUMMARY_OPEN], 1u); }
    return;
  }
  if (twinOf(twin) != h || originOf(twin) != b || targetOf(twin) != a) { atomicAdd(&summary[SUMMARY_LINK], 1u); }
}

fn emitTriangle(item: u32) {
  let id = listed[item];
  let t = vectorOf(triangles[id].corners);
  for (var k = 0u; k < 3u; k++) {
    outIndices[3u * item + k] = numbers[t[k]];
    let h = 3u * id + k;
    checkSide(h);
    if (h < twinOf(h)) { insert(h, keyOfItem(h)); }
  }
  let p = vertices[t.x].xyz;
  let normal = cross(vertices[t.y].xyz - p, vertices[t.z].xyz - p);
  if (all(normal == vec3<f32>(0.0))) { atomicAdd(&summary[SUMMARY_DEGENERATE], 1u); }
}
