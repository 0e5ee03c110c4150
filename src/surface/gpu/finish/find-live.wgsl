// 1 for every triangle that is left, and one of the half-edges that begin at each vertex, + 1; marks those vertices. Flags a vertex of
// every triangle that has no area in single precision: one end of a side without length, else the corner between the two shorter sides.

@group(0) @binding(0) var<uniform> finish: Finish;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(3) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> isLive: array<u32>;
@group(0) @binding(5) var<storage, read_write> spokes: array<atomic<u32>>;
@group(0) @binding(6) var<storage, read_write> marks: array<atomic<u32>>;
@group(0) @binding(7) var<storage, read_write> isFlat: array<atomic<u32>>;

fn findLive(item: u32) {
  let t = vectorOf(triangles[item].corners);
  isLive[item] = select(0u, 1u, t.x != NONE);
  if (t.x == NONE) { return; }
  for (var k = 0u; k < 3u; k++) {
    atomicMax(&spokes[t[k]], 3u * item + k + 1u);
    atomicOr(&marks[t[k]], MARK_AFTER);
  }
  let a = vertices[t.x].xyz;
  let b = vertices[t.y].xyz;
  let c = vertices[t.z].xyz;
  let sides = vec3<f32>(distance(a, b), distance(b, c), distance(c, a));
  let longest = max(sides.x, max(sides.y, sides.z));
  let shortest = min(sides.x, min(sides.y, sides.z));
  let height = length(cross(b - a, c - a)) / max(longest, 1e-30);
  if (height > finish.least) { return; }
  let isPoint = shortest <= finish.least;
  // Of a short side the end with the larger number, which both of its triangles find.
  let ends = select(select(vec2<u32>(t.z, t.x), vec2<u32>(t.y, t.z), sides.y == shortest), t.xy, sides.x == shortest);
  let corner = select(select(t.y, t.x, sides.y == longest), t.z, sides.x == longest);
  atomicStore(&isFlat[select(corner, max(ends.x, ends.y), isPoint)], 1u);
}
