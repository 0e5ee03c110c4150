// The triangles that are left. Whatever is not as it has to be is counted: sides that are paired wrongly, open sides inside
// the box, triangles without area.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(3) var<storage, read> vertices: array<vec4<f32>>;
/// By vertex: its number in the output.
@group(0) @binding(4) var<storage, read> numbers: array<u32>;
@group(0) @binding(5) var<storage, read_write> outIndices: array<u32>;
@group(0) @binding(6) var<storage, read_write> summary: array<atomic<u32>>;

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
    checkSide(3u * id + k);
  }
  let p = vertices[t.x].xyz;
  let normal = cross(vertices[t.y].xyz - p, vertices[t.z].xyz - p);
  if (all(normal == vec3<f32>(0.0))) { atomicAdd(&summary[SUMMARY_DEGENERATE], 1u); }
}
