// The same for few nodes, by one workgroup: the sums, the children and the next level's dispatch. After the first levels
// few nodes are left, and a dispatch costs more than its work.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<uniform> level: Level;
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;
@group(0) @binding(3) var<storage, read> nChildren: array<u32>;
@group(0) @binding(4) var<storage, read_write> nodes: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> groups: array<u32>;

const GROUP = 128u;
var<workgroup> partial: array<u32, GROUP>;

@compute @workgroup_size(GROUP)
fn bisectSmall(@builtin(local_invocation_index) t: u32) {
  let n = min(counts[level.pending], arrayLength(&nChildren));
  let start = counts[level.first];
  let end = start + n;
  let share = (n + GROUP - 1u) / GROUP;
  let first = min(t * share, n);
  let last = min(first + share, n);
  var own = 0u;
  for (var i = first; i < last; i++) { own += nChildren[i]; }
  partial[t] = own;
  workgroupBarrier();
  var before = 0u;
  for (var i = 0u; i < t; i++) { before += partial[i]; }
  for (var i = first; i < last; i++) {
    if (nChildren[i] != 0u) { bisect(start + i, end + before); }
    before += nChildren[i];
  }
  if (t == GROUP - 1u) {
    let made = select(0u, childrenWithin(end, before), n > 0u);
    // Without a pending node `first` says nothing: nothing was there to tell it.
    if (n > 0u) {
      counts[level.nextPending] = made;
      counts[level.nextFirst] = end;
      counts[N_NODES] = end + made;
      counts[N_NODES_WANTED] = max(counts[N_NODES_WANTED], end + before);
    }
    writeGroups(0u, made, GROUP_SIZE, 1u);
    writeGroups(SCAN_GROUPS, made, SCAN_BLOCK, 1u);
  }
}
