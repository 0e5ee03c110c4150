// The search for the zero set on a line, one evaluation of f at a time: kernels evaluate at one place in their text, since
// compilers write a function's whole text wherever it is called.

/// A line that f increases along, and how far its search is: parameter and f of the place before, those of a place on the
/// other side of the zero set, and the nearest place so far with |f| there.
struct Line {
  origin: vec3<f32>,
  /// Of f along the line, for the first step.
  slope: f32,
  direction: vec3<f32>,
  /// The largest parameter.
  reach: f32,
  a: vec2<f32>,
  b: vec2<f32>,
  best: vec2<f32>,
  /// Where f is needed next.
  s: f32,
  isEnclosed: bool,
  isDone: bool,
}

/// @param f0 f at the origin.
fn beginLine(origin: vec3<f32>, f0: f32, direction: vec3<f32>, slope: f32, reach: f32) -> Line {
  let first = vec2<f32>(0.0, f0);
  let best = vec2<f32>(0.0, abs(f0));
  let s = clamp(-f0 / slope, -reach, reach);
  let isDone = s == 0.0 || best.y <= search.enough * slope;
  return Line(origin, slope, direction, reach, first, vec2<f32>(0.0), best, s, false, isDone);
}

/// Out of the box that the mesh lies in lines go on along its faces. `detail` is bound by whoever includes this.
fn withinBounds(p: vec3<f32>) -> vec3<f32> { return clamp(p, detail.low, detail.high); }
fn placeOn(line: Line, s: f32) -> vec3<f32> { return withinBounds(line.origin + s * line.direction); }

/// Where f is needed next.
fn pointOn(line: Line) -> vec3<f32> { return placeOn(line, line.s); }

/// Takes f there. The first step is Newton's; once two places on both sides are known, it is the Illinois method.
fn advance(line: ptr<function, Line>, f: f32) {
  let here = vec2<f32>((*line).s, f);
  let a = (*line).a;
  if (abs(f) < (*line).best.y) { (*line).best = vec2<f32>(here.x, abs(f)); }
  let isBeyond = (f >= 0.0) != (a.y >= 0.0);
  (*line).isDone = (*line).best.y <= search.enough * (*line).slope;
  if (!(*line).isEnclosed && !isBeyond) {
    // Farther, up to the reach.
    (*line).isDone = (*line).isDone || abs(here.x) >= (*line).reach;
    (*line).s = clamp(here.x + 2.0 * (here.x - a.x), -(*line).reach, (*line).reach);
    (*line).a = here;
    return;
  }
  if (isBeyond) {
    if ((*line).isEnclosed) { (*line).a.y *= 0.5; }
    (*line).b = here;
  } else {
    (*line).b.y *= 0.5;
    (*line).a = here;
  }
  (*line).isEnclosed = true;
  let gap = (*line).b - (*line).a;
  let next = (*line).a.x - gap.x * ((*line).a.y / gap.y);
  (*line).isDone = (*line).isDone || next == here.x || abs(gap.x) <= search.least;
  (*line).s = next;
}

/// Sets a vertex' normal and slope, if its gradient is more than rounding.
fn setNormal(vertex: u32, gradient: vec3<f32>) {
  let slope = length(gradient);
  let isTold = slope > search.flat;
  normals[vertex] = vec4<f32>(select(vec3<f32>(0.0), gradient / max(slope, 1e-30), isTold), max(slope, search.flat));
}
