// The second half of the scan (scan.wgsl): one workgroup makes the block sums exclusive and tells the total.

@group(0) @binding(0) var<uniform> params: ScanParams;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
@group(0) @binding(2) var<storage, read_write> total: u32;

var<workgroup> partial: array<u32, GROUP>;
var<workgroup> carry: u32;

@compute @workgroup_size(GROUP)
fn scanSums(@builtin(local_invocation_index) t: u32) {
  let nBlocks = (params.count + BLOCK - 1u) / BLOCK;
  if (t == 0u) { carry = 0u; }
  workgroupBarrier();
  for (var first = 0u; first < nBlocks; first += GROUP) {
    let i = first + t;
    var own = 0u;
    if (i < nBlocks) { own = sums[i]; }
    partial[t] = own;
    workgroupBarrier();
    for (var step = 1u; step < GROUP; step <<= 1u) {
      var before = 0u;
      if (t >= step) { before = partial[t - step]; }
      workgroupBarrier();
      partial[t] += before;
      workgroupBarrier();
    }
    let start = carry;
    if (i < nBlocks) { sums[i] = start + partial[t] - own; }
    workgroupBarrier();
    if (t == 0u) { carry = start + partial[GROUP - 1u]; }
    workgroupBarrier();
  }
  if (t == 0u) { total = carry; }
}
