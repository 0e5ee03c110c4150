// Asks for the corners of every box that is left by the search.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
@group(0) @binding(2) var<storage, read> blocks: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> requestKeys: array<vec2<u32>>;

fn requestRoot(root: u32) {
  let box = blockAt(blocks[root]);
  for (var c = 0u; c < 8u; c++) {
    let corner = box + (vec3<u32>(c, c >> 1u, c >> 2u) & vec3<u32>(1u));
    requestKeys[root * 8u + c] = keyOf(corner << vec3<u32>(fine.subBits));
  }
  if (root == 0u) {
    let n = min(counts[N_ROOTS], arrayLength(&blocks));
    counts[N_ROOT_REQUESTS] = 8u * n;
  }
}
