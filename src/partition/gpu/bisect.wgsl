// Makes the children of the nodes that are to be bisected.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<uniform> level: Level;
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;
@group(0) @binding(3) var<storage, read> nChildren: array<u32>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read> sums: array<u32>;
@group(0) @binding(6) var<storage, read_write> nodes: array<vec4<u32>>;

fn bisectNode(item: u32) {
  let end = counts[level.first] + counts[level.pending];
  if (item == 0u) {
    let n = childrenWithin(end, counts[N_CHILDREN]);
    counts[level.nextPending] = n;
    counts[level.nextFirst] = end;
    counts[N_NODES] = end + n;
    counts[N_NODES_WANTED] = max(counts[N_NODES_WANTED], end + counts[N_CHILDREN]);
  }
  if (nChildren[item] != 0u) { bisect(counts[level.first] + item, end + sumBefore(item)); }
}
