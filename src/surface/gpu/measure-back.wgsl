// How far points of the zero set are from the mesh: where vertices were removed, beside each of them, and around those that are off by
// more than a share of the tolerance, ever closer.
//
// Generated code stands around this: evaluateField, distanceFrom, wayOf; the cells of triangle-cells.wgsl.

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(1) var<uniform> detail: Detail;
@group(0) @binding(2) var<uniform> search: Search;
@group(0) @binding(3) var<storage, read> counts: array<u32>;
@group(0) @binding(4) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> marks: array<u32>;
@group(0) @binding(6) var<storage, read> tolerances: array<f32>;
@group(0) @binding(7) var<storage, read_write> summary: array<atomic<u32>>;
@group(0) @binding(8) var<storage, read> cells: array<u32>;

fn cornerAt(word: u32) -> vec3<f32> {
  return bitcast<vec3<f32>>(vec3<u32>(cells[word], cells[word + 1u], cells[word + 2u]));
}

/// The distance of a place from the mesh, if it is at most `reach`; else a larger one.
fn distanceWithin(p: vec3<f32>, reach: f32) -> f32 {
  var least = 3e38;
  for (var division = 0u; division < N_DIVISIONS; division++) {
    // A triangle reaches half a cell out of its own at most.
    let around = 0.5 * cellSize(division) + reach;
    let first = cellAt(p - around, division);
    let size = cellAt(p + around, division) - first + 1u;
    for (var i = 0u; i < size.x * size.y * size.z; i++) {
      let cell = first + vec3<u32>(i % size.x, (i / size.x) % size.y, i / (size.x * size.y));
      var next = cells[headOf(cell, division)];
      while (next != 0u) {
        let words = wordsOf(next - 1u);
        let a = cornerAt(words + 1u);
        least = min(least, distanceFrom(p - a, cornerAt(words + 4u) - a, cornerAt(words + 7u) - a));
        next = cells[words];
      }
    }
  }
  return least;
}

/// The distance of a place from the mesh, if it is less than what makes the mesh useless; else the domain's diagonal.
fn distanceToMesh(p: vec3<f32>, tolerance: f32) -> f32 {
  var reach = tolerance;
  var found = distanceWithin(p, reach);
  while (found > reach && reach <= MOST * tolerance) {
    reach *= 2.0;
    found = distanceWithin(p, reach);
  }
  return select(distance(frame.max, frame.min), found, found <= reach);
}

fn measureBack(vertex: u32) {
  if ((marks[vertex] & (MARK_BEFORE | MARK_AFTER)) != MARK_BEFORE) { return; }
  let start = vertices[vertex].xyz;
  let tolerance = toleranceIn(start, start);
  let reach = REACH_TOLERANCES * tolerance;
  /// The farthest point so far.
  var farthest = start;
  var result = 0.0;
  /// What is brought to the zero set, and the place that it stays near.
  var base = start;
  var point = start;
  /// Of at most so many places.
  var nPlaces = 2u;
  var nTried = 0u;
  var nSteps = 0u;
  while (nTried < nPlaces) {
    let f = evaluateField(point, true);
    let slope = max(length(f.xyz), search.flat);
    let isThere = abs(f.w) <= max(search.most * slope, search.noise);
    // What lies farther away is another part of the zero set, and what lies beyond a seam another tile's.
    let isInTile = all(point >= detail.seamLow) && all(point <= detail.seamHigh);
    let isNear = isInTile && distance(point, base) <= 2.0 * reach;
    nSteps++;
    if (!isThere && isNear && nSteps < N_STEPS) {
      point = clamp(point - (f.w / slope) * (f.xyz / slope), detail.low, detail.high);
      continue;
    }
    if (isThere && isNear) {
      let away = distanceToMesh(point, tolerance);
      if (away > result) {
        result = away;
        farthest = point;
      }
    }
    nTried++;
    if (nTried == 2u && result > CLOSE_SHARE * tolerance) { nPlaces += N_ROUNDS * N_WAYS; }
    // First somewhere beside the vertex, then all around the farthest, ever closer.
    let way = (nTried - 2u) % N_WAYS;
    if (nTried >= 2u && way == 0u) { base = farthest; }
    let step = reach * exp2(-f32((nTried - 2u) / N_WAYS));
    let beside = select(step * wayOf(way), 0.5 * reach * wayOf(vertex % N_WAYS), nTried == 1u);
    point = clamp(base + beside, detail.low, detail.high);
    nSteps = 0u;
  }
  let share = result / max(tolerance, 1e-37);
  atomicMax(&summary[SUMMARY_BACK], bitcast<u32>(result));
  atomicMax(&summary[SUMMARY_MISSED], bitcast<u32>(share));
  if (share > 1.0) { atomicAdd(&summary[SUMMARY_LEFT], 1u); }
}
