// The loops around leaves. Each is told once, by its half-chain with the least number: its length in vertices. Counts the
// half-chains that no walk found: their leaves' surface may not be what the field has there.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> chains: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> follows: array<u32>;
@group(0) @binding(3) var<storage, read_write> loopLengths: array<u32>;
@group(0) @binding(4) var<storage, read_write> summary: array<atomic<u32>>;

/// Half-chains of one loop, at most.
const MAX_HALVES = 4096u;

fn findLoop(half: u32) {
  loopLengths[half] = 0u;
  if (follows[half] == 0u) { return; }
  if (((chains[half >> 1u].w >> 24u) & ASTRAY) != 0u) { atomicAdd(&summary[SUMMARY_UNSOUND], 1u); }
  var n = 0u;
  var current = half;
  for (var step = 0u; step < MAX_HALVES; step++) {
    n += 1u + ((chains[current >> 1u].w >> 24u) & ~ASTRAY);
    let next = follows[current];
    if (next == 0u) {
      atomicAdd(&summary[SUMMARY_LINK], 1u);
      return;
    }
    current = next - 1u;
    if (current == half) {
      loopLengths[half] = n;
      return;
    }
    if (current < half) { return; }
  }
  atomicAdd(&summary[SUMMARY_LINK], 1u);
}
