// Removes vertices: each is moved onto its neighbour, and the two triangles between them vanish.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> winners: array<u32>;
@group(0) @binding(3) var<storage, read> isNear: array<u32>;
@group(0) @binding(4) var<storage, read_write> goals: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> triangles: array<Triangle>;
@group(0) @binding(6) var<storage, read_write> spokes: array<u32>;
/// 1 for every vertex whose triangles have changed.
@group(0) @binding(7) var<storage, read_write> isDirty: array<u32>;

fn setTwin(h: u32, g: u32) { triangles[h / 3u].twins[h % 3u] = g; }

fn join(h: u32, g: u32) {
  setTwin(h, g);
  setTwin(g, h);
}

fn collapse(item: u32) {
  let id = listed[winners[item]];
  let h = goals[id].x - 1u;
  // One that stood off has no other goal until its triangles change.
  goals[id] = vec4<u32>(0u);
  if (isNear[item] == 0u) { return; }
  let goal = targetOf(h);
  let back = twinOf(h);
  let left = targetOf(nextHalf(h));
  let right = targetOf(nextHalf(back));
  let outerLeft = twinOf(nextHalf(h));
  let innerLeft = twinOf(beforeHalf(h));
  let innerRight = twinOf(nextHalf(back));
  let outerRight = twinOf(beforeHalf(back));
  isDirty[goal] = 1u;
  var g = nextSpoke(h);
  for (var i = 0u; i < MAX_RING && g != h; i++) {
    let next = nextSpoke(g);
    isDirty[targetOf(g)] = 1u;
    triangles[g / 3u].corners[g % 3u] = goal;
    triangles[g / 3u].fresh = ALL_FRESH;
    g = next;
  }
  triangles[h / 3u].corners[0] = NONE;
  triangles[back / 3u].corners[0] = NONE;
  join(outerLeft, innerLeft);
  join(innerRight, outerRight);
  spokes[id] = 0u;
  spokes[goal] = outerRight + 1u;
  spokes[left] = outerLeft + 1u;
  spokes[right] = innerRight + 1u;
}
