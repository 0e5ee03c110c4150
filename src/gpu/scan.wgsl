// Exclusive prefix sums of u32, in blocks of BLOCK values: `scanBlocks` within each block, `scanSums` over the blocks.
// The sum before value i is offsets[i] + sums[i / BLOCK]: whoever reads it adds the two. No atomics: the result does
// not depend on the order in which workgroups run.
//
// The text of struct ScanParams and the constants BLOCK and GROUP stand before this one (scan.ts).

@group(0) @binding(0) var<uniform> params: ScanParams;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<u32>;

var<workgroup> partial: array<u32, GROUP>;

/// Exclusive sums over the workgroup's `own` values; `partial[GROUP - 1]` is the total afterwards.
fn scanGroup(own: u32, t: u32) -> u32 {
  partial[t] = own;
  workgroupBarrier();
  for (var step = 1u; step < GROUP; step <<= 1u) {
    var before = 0u;
    if (t >= step) { before = partial[t - step]; }
    workgroupBarrier();
    partial[t] += before;
    workgroupBarrier();
  }
  return partial[t] - own;
}

@compute @workgroup_size(GROUP)
fn scanBlocks(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let block = group.x + group.y * nGroups.x;
  let first = block * BLOCK + t * 4u;
  var own = vec4<u32>(0u);
  if (first < params.count) { own.x = values[first]; }
  if (first + 1u < params.count) { own.y = values[first + 1u]; }
  if (first + 2u < params.count) { own.z = values[first + 2u]; }
  if (first + 3u < params.count) { own.w = values[first + 3u]; }
  let before = scanGroup(own.x + own.y + own.z + own.w, t);
  if (first < params.count) { offsets[first] = before; }
  if (first + 1u < params.count) { offsets[first + 1u] = before + own.x; }
  if (first + 2u < params.count) { offsets[first + 2u] = before + own.x + own.y; }
  if (first + 3u < params.count) { offsets[first + 3u] = before + own.x + own.y + own.z; }
  if (t == 0u && block * BLOCK < params.count) { sums[block] = partial[GROUP - 1u]; }
}
