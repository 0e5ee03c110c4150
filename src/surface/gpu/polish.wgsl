// Puts vertices that are nearly on the zero set there, along the gradient, which is kept; on a face of the domain a vertex stays on it.
// One that had farther to go than its gradient is good for is taken again from where it came to. Those that are not there in the
// end are told.
//
// Generated code stands around this: evaluateField, Line.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> search: Search;
@group(0) @binding(2) var<uniform> detail: Detail;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
@group(0) @binding(4) var<storage, read_write> vertices: array<vec4<f32>>;
/// Unit normal, or zero where there is none to tell; slope.
@group(0) @binding(5) var<storage, read_write> normals: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> marks: array<u32>;

fn polishVertex(vertex: u32) {
  if (vertex >= arrayLength(&normals)) { return; }
  let faces = vec3<u32>(bitcast<u32>(vertices[vertex].w));
  let isHeld = (faces & vec3<u32>(3u, 12u, 48u)) != vec3<u32>(0u);
  var point = withinBounds(vertices[vertex].xyz);
  var start = point;
  var gradient = vec3<f32>(0.0);
  var slope = search.flat;
  var line: Line;
  var isStart = true;
  var nTries = 0u;
  /// The nearest place so far of this line, |f| there.
  var best = vec4<f32>(0.0);
  var round = 0u;
  while (round < search.nRounds) {
    let g = evaluateField(point, isStart);
    if (isStart) {
      best = vec4<f32>(start, abs(g.w));
      gradient = g.xyz;
      let along = select(g.xyz, vec3<f32>(0.0), isHeld);
      slope = max(length(along), search.flat);
      line = beginLine(start, g.w, along / slope, slope, search.reach);
      nTries = 0u;
      isStart = false;
    } else {
      advance(&line, g.w);
      nTries++;
    }
    point = pointOn(line);
    if (!line.isDone && nTries < search.nTries) { continue; }
    if (line.best.y < best.w) { best = vec4<f32>(placeOn(line, line.best.x), line.best.y); }
    let isThere = best.w <= max(search.most * slope, search.noise);
    round = select(round + 1u, search.nRounds, isThere && abs(line.best.x) <= search.near);
    start = best.xyz;
    point = start;
    isStart = true;
  }
  setNormal(vertex, gradient);
  vertices[vertex] = vec4<f32>(best.xyz, vertices[vertex].w);
  marks[vertex] = select(0u, MARK_OFF, best.w > OFF * max(search.most * slope, search.noise));
}
