// Gathers what is known of every root: its box, its corners, its extents; and tells its corners which box they belong to.

@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> blocks: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> cornerOf: array<u32>;
@group(0) @binding(4) var<storage, read> coordinates: array<f32>;
@group(0) @binding(5) var<storage, read_write> roots: array<Root>;
@group(0) @binding(6) var<storage, read_write> rootsAt: array<u32>;

fn linkRoot(root: u32) {
  let box = blockAt(blocks[root]);
  let at = fine.firstPlane + box;
  roots[root].box = box;
  roots[root].size = vec3<f32>(
    coordinates[at.x + 1u] - coordinates[at.x],
    coordinates[at.y + 1u] - coordinates[at.y],
    coordinates[at.z + 1u] - coordinates[at.z],
  );
  for (var c = 0u; c < 8u; c++) {
    let corner = cornerOf[root * 8u + c];
    roots[root].corners[c] = corner;
    rootsAt[corner * 8u + c] = root + 1u;
  }
}
