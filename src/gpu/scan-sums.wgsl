// The second half of the scan (scan.wgsl): one workgroup makes the block sums exclusive and tells the total.

@group(0) @binding(0) var<uniform> params: ScanParams;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;

@compute @workgroup_size(GROUP)
fn scanSums(@builtin(local_invocation_index) t: u32) {
  let nBlocks = min((min(counts[params.values], params.room) + BLOCK - 1u) / BLOCK, arrayLength(&sums));
  let base = counts[params.base];
  let share = (nBlocks + GROUP - 1u) / GROUP;
  let first = min(t * share, nBlocks);
  let last = min(first + share, nBlocks);
  var own = 0u;
  for (var i = first; i < last; i++) { own += sums[i]; }
  var before = sumBefore(own, t);
  for (var i = first; i < last; i++) {
    let value = sums[i];
    sums[i] = before;
    before += value;
  }
  if (t == GROUP - 1u) {
    counts[params.sum] = before;
    counts[params.to] = base + before;
    if (params.peak != 0u) { counts[params.peak] = max(counts[params.peak], before); }
  }
}
