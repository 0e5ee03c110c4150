// Puts vertices that are nearly on the zero set on it, along the gradient, and keeps the gradient. On a face of the domain a
// vertex stays on it. Those that are not there then, or had farther to go than the gradient is good for, are told.
//
// Generated code stands around this: evaluateField, Line.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> search: Search;
@group(0) @binding(2) var<uniform> detail: Detail;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
@group(0) @binding(4) var<storage, read> listed: array<u32>;
@group(0) @binding(5) var<storage, read_write> vertices: array<vec4<f32>>;
/// Unit normal, or zero where there is none to tell; slope.
@group(0) @binding(6) var<storage, read_write> normals: array<vec4<f32>>;
/// By vertex: 1 where it has to be taken again.
@group(0) @binding(7) var<storage, read_write> isLeft: array<u32>;
@group(0) @binding(8) var<storage, read_write> summary: array<atomic<u32>>;

fn polishVertex(item: u32) {
  let vertex = select(item, listed[item], search.isListed != 0u);
  if (vertex >= arrayLength(&normals)) { return; }
  let p = withinBounds(vertices[vertex].xyz);
  let faces = bitcast<u32>(vertices[vertex].w);
  let isHeld = (vec3<u32>(faces) & vec3<u32>(3u, 12u, 48u)) != vec3<u32>(0u);
  var g: vec4<f32>;
  var d: vec3<f32>;
  var slope = 0.0;
  var line: Line;
  var point = p;
  for (var i = 0u; i <= search.nTries; i++) {
    let here = evaluateField(point, i == 0u);
    if (i == 0u) {
      g = here;
      let along = select(g.xyz, vec3<f32>(0.0), isHeld);
      slope = max(length(along), search.flat);
      d = along / slope;
      line = beginLine(p, g.w, d, slope, search.reach);
    } else { advance(&line, here.w); }
    if (line.isDone) { break; }
    point = pointOn(line);
  }
  let found = line.best;
  let off = found.y / max(search.most * slope, search.noise);
  isLeft[vertex] = select(0u, 1u, off > 1.0 || abs(found.x) > search.near);
  if (off > OFF && search.isLast != 0u) { atomicAdd(&summary[SUMMARY_OFF], 1u); }
  vertices[vertex] = vec4<f32>(placeOn(line, found.x), vertices[vertex].w);
  setNormal(vertex, g.xyz);
}
