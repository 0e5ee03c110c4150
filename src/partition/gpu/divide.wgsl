// Divides the blocks that may hold surface, in their order; single boxes pass as they are.

@group(0) @binding(0) var<uniform> lattice: LatticeParams;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> blocks: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> nChildren: array<u32>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read> sums: array<u32>;
@group(0) @binding(6) var<storage, read_write> children: array<vec2<u32>>;

fn divide(item: u32) {
  let n = nChildren[item];
  var at = sumBefore(item);
  if (n == 0u || at + n > arrayLength(&children)) { return; }
  if (lattice.size == 1u) {
    children[at] = blocks[item];
    return;
  }
  let block = blockAt(blocks[item]);
  for (var c = 0u; c < 8u; c++) {
    let child = block + (vec3<u32>(c, c >> 1u, c >> 2u) & vec3<u32>(1u)) * (lattice.size / 2u);
    if (any(child >= lattice.counts)) { continue; }
    children[at] = vec2<u32>(child.x | (child.y << 16u), child.z);
    at++;
  }
}
