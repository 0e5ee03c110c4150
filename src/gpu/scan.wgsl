// Exclusive prefix sums of u32, in blocks of BLOCK values: each workgroup writes the sums within its block, and adds the block's
// own sum to what stands before every later block. The sum before value i is offsets[i] + sums[i / BLOCK]: whoever reads it adds
// the two. Sums of integers do not depend on the order in which workgroups run.
//
// Each invocation adds up BLOCK / GROUP neighbouring values by itself: barriers are what a scan costs in software.
// The text of struct ScanParams, the constants BLOCK and GROUP, and what is added up of each value, `valueAt`, stand before this
// one (scan.ts).

@group(0) @binding(0) var<uniform> params: ScanParams;
/// counts[to], and counts[sum] if that is another one, are zero before.
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> offsets: array<u32>;
/// Zeros before.
@group(0) @binding(4) var<storage, read_write> sums: array<atomic<u32>>;

@compute @workgroup_size(GROUP)
fn scanBlocks(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let n = min(min(atomicLoad(&counts[params.values]), params.room), arrayLength(&values));
  let block = group.x + group.y * nGroups.x;
  let first = min(block * BLOCK + t * (BLOCK / GROUP), n);
  let last = min(first + BLOCK / GROUP, n);
  var own = 0u;
  for (var i = first; i < last; i++) { own += valueAt(i); }
  var before = sumBefore(own, t);
  for (var i = first; i < last; i++) {
    offsets[i] = before;
    before += valueAt(i);
  }
  let whole = wholeSum();
  let nBlocks = min((n + BLOCK - 1u) / BLOCK, arrayLength(&sums));
  for (var later = block + 1u + t; later < nBlocks; later += GROUP) { atomicAdd(&sums[later], whole); }
  if (t != 0u) { return; }
  var total = whole;
  if (block == 0u) { total += atomicLoad(&counts[params.base]); }
  atomicAdd(&counts[params.to], total);
  if (params.sum != params.to) { atomicAdd(&counts[params.sum], whole); }
}
