// The edge to divide for every sample that is off: the one that it is on, the triangle's longest one where it is inside.
// Of several samples that want the same edge the first one gets it. Edges on seams are none's.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> samples: array<u32>;
@group(0) @binding(3) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(4) var<storage, read> vertices: array<vec4<f32>>;
/// An edge's half-edge with the lesser number; the complement of the first sample that wants it, or 0.
@group(0) @binding(5) var<storage, read_write> marks: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> offEdges: array<u32>;
/// Where on it, in twelfths from its start.
@group(0) @binding(7) var<storage, read_write> offPlaces: array<u32>;

fn markOff(item: u32) {
  let sample = samples[listed[item]];
  let id = sample & 0x7ffffffu;
  let t = vectorOf(triangles[id].corners);
  let place = PATTERN[sample >> 27u];
  var side = place.w;
  // From the side's start.
  var twelfths = place[after(min(side, 2u))];
  if (side == 3u) {
    twelfths = 6u;
    let a = vertices[t.x].xyz;
    let b = vertices[t.y].xyz;
    let c = vertices[t.z].xyz;
    let ab = dot(b - a, b - a);
    let bc = dot(c - b, c - b);
    let ca = dot(a - c, a - c);
    let sides = select(vec3<f32>(ab, bc, ca), vec3<f32>(-1.0), seamSides(id, t));
    side = select(select(2u, 1u, sides.y >= sides.z), 0u, sides.x >= sides.y && sides.x >= sides.z);
    if (sides[side] < 0.0) {
      offEdges[item] = NONE;
      return;
    }
  }
  let h = 3u * id + side;
  let edge = min(h, twinOf(h));
  offEdges[item] = edge;
  offPlaces[item] = select(12u - twelfths, twelfths, edge == h);
  atomicMax(&marks[edge], ~item);
}
