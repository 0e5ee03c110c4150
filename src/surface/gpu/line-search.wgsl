/// The place nearest to the zero set that is found on a line: its parameter, |f| there. f increases along the direction; the
/// first step is Newton's, and once two places on both sides are known, the Illinois method.
/// @param f at p. slope: of f along there. reach: the largest parameter.
fn searchLine(p: vec3<f32>, f0: f32, d: vec3<f32>, slope: f32, reach: f32) -> vec2<f32> {
  var best = vec2<f32>(0.0, abs(f0));
  var a = vec2<f32>(0.0, f0);
  var b = vec2<f32>(0.0);
  var isEnclosed = false;
  var s = clamp(-f0 / slope, -reach, reach);
  for (var i = 0u; i < search.nTries && best.y > search.enough * slope && s != 0.0; i++) {
    let here = vec2<f32>(s, fieldAt(p + s * d));
    if (abs(here.y) < best.y) { best = vec2<f32>(s, abs(here.y)); }
    let isBeyond = (here.y >= 0.0) != (a.y >= 0.0);
    if (!isEnclosed && !isBeyond) {
      // Farther, up to the reach.
      if (abs(s) >= reach) { break; }
      let next = clamp(s + 2.0 * (s - a.x), -reach, reach);
      a = here;
      s = next;
      continue;
    }
    if (isBeyond) {
      if (isEnclosed) { a.y *= 0.5; }
      b = here;
    } else {
      b.y *= 0.5;
      a = here;
    }
    isEnclosed = true;
    let next = a.x + (b.x - a.x) * (a.y / (a.y - b.y));
    if (next == s || abs(b.x - a.x) <= search.least) { break; }
    s = next;
  }
  return best;
}

/// Sets a vertex' normal and slope, if its gradient is more than rounding.
fn setNormal(vertex: u32, gradient: vec3<f32>) {
  let slope = length(gradient);
  let isTold = slope > search.flat;
  normals[vertex] = vec4<f32>(select(vec3<f32>(0.0), gradient / max(slope, 1e-30), isTold), max(slope, search.flat));
}
