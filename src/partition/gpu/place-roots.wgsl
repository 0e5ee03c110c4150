// Puts the boxes that the groups of the search left in the order of the groups; a workgroup takes a group.

@group(0) @binding(0) var<storage, read_write> counts: array<u32>;
@group(0) @binding(1) var<storage, read> found: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> pool: array<u32>;
@group(0) @binding(3) var<storage, read> begins: array<u32>;
@group(0) @binding(4) var<storage, read> totals: array<u32>;
@group(0) @binding(5) var<storage, read> offsets: array<u32>;
@group(0) @binding(6) var<storage, read> sums: array<u32>;
@group(0) @binding(7) var<storage, read_write> boxes: array<vec2<u32>>;

@compute @workgroup_size(GROUP)
fn placeRoots(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) nWorkgroups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let group = workgroup.x + workgroup.y * nWorkgroups.x;
  if (group >= counts[N_SEARCHES]) { return; }
  if (group == 0u && t == 0u) {
    counts[N_BLOCKS] = pool[0];
    counts[N_TESTED] = pool[1];
  }
  let to = sumBefore(group);
  let n = min(totals[group], max(to, arrayLength(&boxes)) - to);
  for (var i = t; i < n; i += GROUP) { boxes[to + i] = found[begins[group] + i]; }
}
