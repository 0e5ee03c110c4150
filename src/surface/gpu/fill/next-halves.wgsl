// Every half-chain learns which one follows it: that takes the place of where to look for it.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> begins: array<u32>;
/// The half-chain that follows + 1, or 0.
@group(0) @binding(2) var<storage, read_write> follows: array<u32>;

fn nextHalfChain(half: u32) {
  let at = follows[half];
  follows[half] = select(begins[max(at, 1u) - 1u], 0u, at == 0u);
}
