// Exclusive prefix sums of u32, in blocks of BLOCK values: `scanBlocks` within each block, `scanSums` over the blocks.
// The sum before value i is offsets[i] + sums[i / BLOCK]: whoever reads it adds the two. No atomics: the result does
// not depend on the order in which workgroups run.
//
// Each invocation adds up BLOCK / GROUP neighbouring values by itself: barriers are what a scan costs in software.
// The text of struct ScanParams and the constants BLOCK and GROUP stand before this one (scan.ts).

@group(0) @binding(0) var<uniform> params: ScanParams;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(4) var<storage, read_write> sums: array<u32>;

fn valueAt(i: u32) -> u32 { return min(values[i] & params.mask, params.most); }

@compute @workgroup_size(GROUP)
fn scanBlocks(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let n = min(min(counts[params.values], params.room), arrayLength(&values));
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
  if (t == GROUP - 1u && block * BLOCK < n) { sums[block] = before; }
}
