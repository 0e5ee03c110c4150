// The triangles of loops, paired with each other inside, and with the chains' segments on the loop. A loop of n vertices with i inside has
// n - 2 + 2 i triangles, so that where they begin needs no sum of its own.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> loops: array<Loop>;
@group(0) @binding(2) var<storage, read> loopVertices: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> pool: array<u32>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read> sums: array<u32>;
@group(0) @binding(6) var<storage, read_write> triangles: array<Triangle>;
/// Two a segment: the half-edge along it and the one against it, + 1.
@group(0) @binding(7) var<storage, read_write> segmentHalves: array<u32>;

fn emitFilled(item: u32) {
  let n = loops[item].n;
  let first = loops[item].first;
  let before = sumBefore(item);
  let inside = loops[item].inside;
  let nTriangles = max(n, 2u) - 2u + 2u * inside;
  let firstTriangle = first - 2u * item + 2u * before;
  let firstInside = counts[N_CHAIN_VERTICES] + before;
  let begin = loops[item].filled + inside * WORDS_INSIDE;
  if (firstTriangle + nTriangles > arrayLength(&triangles)) { return; }
  if (begin + nTriangles * WORDS_OF_TRIANGLE > arrayLength(&pool)) { return; }
  for (var i = 0u; i < nTriangles; i++) {
    let at = begin + i * WORDS_OF_TRIANGLE;
    let t = firstTriangle + i;
    for (var k = 0u; k < 3u; k++) {
      let place = (pool[at] >> (10u * k)) & 1023u;
      let twin = pool[at + 1u + k];
      let isRim = place < n;
      let vertex = loopVertices[first + select(0u, place, isRim)];
      triangles[t].corners[k] = select(firstInside + place - n, vertex.x, isRim);
      triangles[t].twins[k] = select(3u * firstTriangle + twin, NONE, twin == NONE);
      if (twin == NONE) { segmentHalves[vertex.z] = 3u * t + k + 1u; }
    }
  }
}
