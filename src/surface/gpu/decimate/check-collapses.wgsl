// Whether sampled points of the triangles that would come of removing a vertex stay near the zero set: their centroids, and
// the middles of their new sides.
//
// Generated code stands around this: fieldAt.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> listed: array<u32>;
@group(0) @binding(3) var<storage, read> winners: array<u32>;
@group(0) @binding(4) var<storage, read> goals: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(6) var<storage, read> vertices: array<vec4<f32>>;
/// 1 where they do.
@group(0) @binding(7) var<storage, read_write> isNear: array<u32>;

fn checkCollapse(item: u32) {
  let goal = goals[listed[winners[item]]];
  let h = goal.x - 1u;
  let most = bitcast<f32>(goal.z);
  let p = vertices[targetOf(h)].xyz;
  var isGood = true;
  // From the first ring vertex after the goal to the last one before it.
  var g = nextSpoke(h);
  for (var i = 0u; i < MAX_RING && isGood; i++) {
    let next = nextSpoke(g);
    if (next == h) { break; }
    let a = vertices[targetOf(g)].xyz;
    let b = vertices[targetOf(next)].xyz;
    for (var k = 0u; k < 2u; k++) {
      let point = select(0.5 * (p + b), (p + a + b) / 3.0, k == 0u);
      isGood = isGood && abs(fieldAt(point)) <= most;
    }
    g = next;
  }
  isNear[item] = select(0u, 1u, isGood);
}
