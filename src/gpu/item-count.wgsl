// How many workgroups the items of one count need, for indirect dispatches: of kernels, then of scans.

@group(0) @binding(0) var<uniform> params: ItemParams;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read_write> groups: array<u32>;

@compute @workgroup_size(1)
fn countGroups() {
  let n = min(max(counts[params.at], params.first) - params.first, params.capacity);
  writeGroups(0u, n, GROUP_SIZE, params.layers);
  writeGroups(SCAN_GROUPS, max(1u, n), SCAN_BLOCK, 1u);
}
