// Divides triangles. Everything is read from records of before, so that it does not matter which triangle is first.

@group(0) @binding(0) var<uniform> round: Round;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> divided: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> oldTwins: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> splitIds: array<u32>;
@group(0) @binding(5) var<storage, read> childAts: array<u32>;
@group(0) @binding(6) var<storage, read_write> triangles: array<Triangle>;
/// The triangles to look at in the next round.
@group(0) @binding(7) var<storage, read_write> nextActive: array<u32>;

fn setTwin(h: u32, g: u32) { triangles[h / 3u].twins[h % 3u] = g; }

fn setTwins(h: u32, g: u32) {
  setTwin(h, g);
  setTwin(g, h);
}

fn setTriangle(id: u32, a: u32, b: u32, c: u32) {
  triangles[id].corners = array<u32, 3>(a, b, c);
  triangles[id].fresh = ALL_FRESH;
}

/// Joins what became of a side with what became of it on its other side.
fn joinSide(id: u32, d: vec3<u32>, childAt: u32, side: u32, other: u32) {
  let isDivided = d[side] != 0u;
  let otherId = select(other / 3u, id, other == NONE);
  let e = vec3<u32>(splitIds[3u * otherId], splitIds[3u * otherId + 1u], splitIds[3u * otherId + 2u]);
  let isOtherWhole = countSplits(e) == 0u;
  for (var part = 0u; part < select(1u, 2u, isDivided); part++) {
    let mine = partOf(id, d, childAt, side, part);
    if (other == NONE) {
      setTwin(mine, NONE);
      continue;
    }
    let theirs = partOf(otherId, e, childAts[otherId], other % 3u, select(0u, 1u - part, isDivided));
    setTwin(mine, theirs);
    // A triangle that is not divided does not look for its twins itself.
    if (isOtherWhole) { setTwin(theirs, mine); }
  }
}

fn emitChildren(item: u32) {
  let d = divided[item];
  let id = d.w;
  let n = countSplits(d.xyz);
  let childAt = childAts[id];
  let at = childAt & ~DIAGONAL_AY;
  if (at + n > arrayLength(&triangles)) { return; }
  let turn = turnOf(d.xyz);
  let t = vectorOf(triangles[id].corners);
  let a = t[turn];
  let b = t[after(turn)];
  let c = t[after(after(turn))];
  let first = counts[round.vertices] - 1u;
  let x = first + d[turn];
  let y = first + d[after(turn)];
  let z = first + d[after(after(turn))];
  let old = oldTwins[item];
  for (var side = 0u; side < 3u; side++) { joinSide(id, d.xyz, childAt, side, old[side]); }
  nextActive[item] = id;
  let listed = counts[N_TOUCHED] + at - counts[round.triangles];
  for (var k = 0u; k < n && listed + k < arrayLength(&nextActive); k++) { nextActive[listed + k] = at + k; }
  if (n == 1u) {
    setTriangle(id, a, x, c);
    setTriangle(at, x, b, c);
    setTwins(3u * id + 1u, 3u * at + 2u);
    return;
  }
  setTriangle(at, x, b, y);
  if (n == 2u && (childAt & DIAGONAL_AY) != 0u) {
    setTriangle(id, a, x, y);
    setTriangle(at + 1u, a, y, c);
    setTwins(3u * id + 1u, 3u * at + 2u);
    setTwins(3u * id + 2u, 3u * at + 3u);
    return;
  }
  if (n == 2u) {
    setTriangle(id, a, x, c);
    setTriangle(at + 1u, x, y, c);
    setTwins(3u * id + 1u, 3u * at + 5u);
    setTwins(3u * at + 2u, 3u * at + 3u);
    return;
  }
  setTriangle(id, a, x, z);
  setTriangle(at + 1u, z, y, c);
  setTriangle(at + 2u, x, y, z);
  setTwins(3u * id + 1u, 3u * at + 8u);
  setTwins(3u * at + 2u, 3u * at + 6u);
  setTwins(3u * at + 3u, 3u * at + 7u);
}
