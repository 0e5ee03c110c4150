// Tells every edge vertex which half-chains begin there, and every half-chain where to look for its next one.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<uniform> detail: Detail;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> chains: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> rects: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> nodes: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> roots: array<Root>;
@group(0) @binding(7) var<storage, read> places: array<vec4<u32>>;
/// Four an edge vertex, one a quarter around it: the half-chain that begins there + 1.
@group(0) @binding(8) var<storage, read_write> begins: array<u32>;
/// The place in `begins` of the half-chain that follows, + 1; 0 for half-chains of no leaf.
@group(0) @binding(9) var<storage, read_write> follows: array<u32>;

fn linkHalf(half: u32) {
  let leaf = leafOf(half);
  follows[half] = 0u;
  if (leaf == NONE) { return; }
  let chain = chains[half >> 1u];
  let isReversed = (half & 1u) == 1u;
  let start = select(chain.x, chain.y, isReversed);
  let end = select(chain.y, chain.x, isReversed);
  begins[start * 4u + quarterOf(leaf, start)] = half + 1u;
  follows[half] = end * 4u + quarterOf(leaf, end) + 1u;
}
