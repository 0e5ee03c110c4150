// Lists the loops with their vertices. Each has the sides of the leaf that it lies on (bit 2 * axis + 1 for the upper
// side): two vertices of one side are never joined inside the leaf, where the leaf beside could join them too. And the
// segment of a chain that leads to the next one: 2 * its number, + 1 where it is walked against the chain.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> chains: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> follows: array<u32>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read> sums: array<u32>;
@group(0) @binding(6) var<storage, read_write> loops: array<Loop>;
/// Vertex; sides; segment; place in `chainPoints` + 1, or 0.
@group(0) @binding(7) var<storage, read_write> loopVertices: array<vec4<u32>>;

fn sideOf(half: u32) -> u32 {
  return 1u << (2u * (chains[half >> 1u].z >> 30u) + select(1u, 0u, (half & 1u) == 1u));
}

fn emitLoop(item: u32) {
  let half = listed[item];
  let first = sumBefore(half);
  var at = first;
  var current = half;
  // The half-chain before the first one is found on the way round.
  var sideBefore = 0u;
  loop {
    let chain = chains[current >> 1u];
    let isReversed = (current & 1u) == 1u;
    let side = sideOf(current);
    let firstPoint = chain.w & 0xffffffu;
    let nPoints = (chain.w >> 24u) & ~ASTRAY;
    if (at + nPoints >= arrayLength(&loopVertices)) { break; }
    // A chain of n points has n + 1 segments.
    let segment = firstPoint - counts[N_EDGE_VERTICES] + (current >> 1u);
    for (var k = 0u; k <= nPoints; k++) {
      let i = select(k, nPoints - k, isReversed);
      let point = select(firstPoint + select(k, nPoints + 1u - k, isReversed) - 1u, select(chain.x, chain.y, isReversed), k == 0u);
      let slot = (current >> 1u) * CHAIN_SLOTS + select(k, nPoints + 1u - k, isReversed);
      loopVertices[at + k] = vec4<u32>(point, side | sideBefore, 2u * (segment + i) + (current & 1u), select(slot, 0u, k == 0u));
      sideBefore = 0u;
    }
    at += 1u + nPoints;
    sideBefore = side;
    current = follows[current] - 1u;
    if (current == half) { break; }
  }
  if (first < arrayLength(&loopVertices)) { loopVertices[first] |= vec4<u32>(0u, sideBefore, 0u, 0u); }
  loops[item].first = first;
  loops[item].n = at - first;
  loops[item].beside = (chains[half >> 1u].z & 0x3fffffffu) | (half << 31u);
}
