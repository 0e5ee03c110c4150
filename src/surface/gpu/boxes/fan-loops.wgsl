// Fans what clipping ears left of loops around a vertex of its own, which is to be put on the zero set. The last two triangles
// of a fan come after those of all loops.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> loops: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> loopVertices: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> loopNormals: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> vertices: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(7) var<storage, read_write> casts: array<Cast>;

/// Where two chords cross, as far as they do: halfway between the nearest points of their lines.
fn crossingOf(first: u32, chords: u32) -> vec3<f32> {
  let a = vertices[loopVertices[first + (chords & 255u)].x].xyz;
  let u = vertices[loopVertices[first + ((chords >> 8u) & 255u)].x].xyz - a;
  let c = vertices[loopVertices[first + ((chords >> 16u) & 255u)].x].xyz;
  let v = vertices[loopVertices[first + (chords >> 24u)].x].xyz - c;
  let uu = dot(u, u);
  let uv = dot(u, v);
  let vv = dot(v, v);
  let w = a - c;
  let det = max(uu * vv - uv * uv, 1e-30);
  let s = clamp((uv * dot(v, w) - vv * dot(u, w)) / det, 0.0, 1.0);
  let t = clamp((uu * dot(v, w) - uv * dot(u, w)) / det, 0.0, 1.0);
  return 0.5 * (a + s * u + c + t * v);
}

fn fanLoop(item: u32) {
  let id = listed[item];
  let l = loops[id];
  let m = nFanned(l);
  let centre = counts[N_CHAIN_VERTICES] + item;
  if (centre >= arrayLength(&vertices) || item >= arrayLength(&casts)) { return; }
  var sum = vec3<f32>(0.0);
  var place = firstFanned(l);
  for (var k = 0u; k < m; k++) {
    let next = nextFanned(l, place);
    let a = loopVertices[l.x + place].x;
    let b = loopVertices[l.x + next].x;
    sum += vertices[a].xyz;
    let triangle = fanTriangle(l, m, id, item, k);
    triangles[triangle].corners = array<u32, 3>(a, b, centre);
    triangles[triangle].fresh = ALL_FRESH;
    place = next;
  }
  var middle = sum / f32(m);
  if (l.w == CORNER) { middle = loopNormals[2u * id + 1u].xyz; }
  else if (l.w != 0u) { middle = crossingOf(l.x, l.w); }
  vertices[centre] = vec4<f32>(middle, 0.0);
  casts[item] = Cast(middle, centre, loopNormals[2u * id].xyz, sqrt(loopNormals[2u * id].w), 0.0);
}
