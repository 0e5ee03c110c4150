// Searches for boxes with surface: a workgroup takes blocks that the search begins with, bounds f over them, and divides those that
// may hold surface, size by size, down to single boxes. The blocks of one size lie one after the other, in the order of
// `cullBoxes`; where depends on which workgroup asks first, and place-roots.wgsl puts what is left in the order of the groups.

@group(0) @binding(0) var<uniform> lattice: LatticeParams;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> planes: array<vec4<u32>>;
/// As `blockAt`; then, from bit COUNT_AT of the second word on, the number of its children.
@group(0) @binding(3) var<storage, read_write> found: array<vec2<u32>>;
/// Blocks that were asked for, and that were bounded.
@group(0) @binding(4) var<storage, read_write> pool: array<atomic<u32>>;
/// Where what is left of a group begins, and how many boxes it is.
@group(0) @binding(5) var<storage, read_write> begins: array<u32>;
@group(0) @binding(6) var<storage, read_write> totals: array<u32>;

const COUNT_AT = 16u;
const NONE = 0xffffffffu;

/// By lane: children of the blocks that it looks through.
var<workgroup> partial: array<u32, GROUP>;
/// Where a group's next blocks begin, or NONE, and how many there are.
var<workgroup> next: vec2<u32>;

@compute @workgroup_size(GROUP)
fn searchBlocks(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) nWorkgroups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let group = workgroup.x + workgroup.y * nWorkgroups.x;
  if (group >= counts[N_SEARCHES]) { return; }
  let nFirst = max(1u, BOXES_PER_GROUP / (lattice.size * lattice.size * lattice.size));
  let number = counts[N_SEARCH_FROM] + group * nFirst;
  var n = min(nFirst, counts[N_SEARCH_END] - number);
  if (t == 0u) { next = reserve(n); }
  var first = workgroupUniformLoad(&next).x;
  if (first != NONE) {
    for (var i = t; i < n; i += GROUP) { found[first + i] = firstBlock(number + i); }
  }
  for (var size = lattice.size; size > 0u && first != NONE; size >>= 1u) {
    storageBarrier();
    for (var i = t; i < n; i += GROUP) { testBlock(first + i, size); }
    storageBarrier();
    let share = (n + GROUP - 1u) / GROUP;
    let begin = first + min(t * share, n);
    let end = first + min((t + 1u) * share, n);
    var own = 0u;
    for (var i = begin; i < end; i++) { own += found[i].y >> COUNT_AT; }
    partial[t] = own;
    workgroupBarrier();
    if (t == 0u) {
      atomicAdd(&pool[1], n);
      var sum = 0u;
      for (var i = 0u; i < GROUP; i++) {
        let value = partial[i];
        partial[i] = sum;
        sum += value;
      }
      next = reserve(sum);
    }
    let children = workgroupUniformLoad(&next);
    first = children.x;
    n = children.y;
    if (first != NONE) {
      var at = first + partial[t];
      for (var i = begin; i < end; i++) { at = divide(i, size, at); }
    }
  }
  if (t == 0u) {
    begins[group] = first;
    totals[group] = select(n, 0u, first == NONE);
  }
}

fn reserve(wanted: u32) -> vec2<u32> {
  if (wanted == 0u) { return vec2<u32>(NONE, 0u); }
  let at = atomicAdd(&pool[0], wanted);
  return select(vec2<u32>(NONE, 0u), vec2<u32>(at, wanted), at + wanted <= arrayLength(&found));
}

/// The blocks that divide the lattice, x fastest.
fn firstBlock(number: u32) -> vec2<u32> {
  let n = (lattice.counts + lattice.size - 1u) / lattice.size;
  let block = vec3<u32>(number % n.x, number / n.x % n.y, number / n.x / n.y) * lattice.size;
  return vec2<u32>(block.x | (block.y << 16u), block.z);
}

fn isInside(child: vec3<u32>) -> bool { return all(child < lattice.counts); }

fn childOf(block: vec3<u32>, c: u32, size: u32) -> vec3<u32> {
  return block + (vec3<u32>(c, c >> 1u, c >> 2u) & vec3<u32>(1u)) * (size / 2u);
}

/// Notes how many blocks it is divided into: none where f has one sign, one where it is a single box that stays.
fn testBlock(i: u32, size: u32) {
  let block = blockAt(found[i]);
  let interval = boundBlock(block, size);
  if (interval.x > 0.0 || interval.y + lattice.isoOffset < 0.0) { return; }
  let second = select(vec3<u32>(0u), vec3<u32>(1u), block + size / 2u < lattice.counts);
  let n = select((1u + second.x) * (1u + second.y) * (1u + second.z), 1u, size == 1u);
  found[i] = vec2<u32>(found[i].x, block.z | (n << COUNT_AT));
}

/// Puts a block's children from `at` on; gives where the next one's go.
fn divide(i: u32, size: u32, at: u32) -> u32 {
  let word = found[i];
  if (word.y >> COUNT_AT == 0u) { return at; }
  let block = vec3<u32>(word.x & 0xffffu, word.x >> 16u, word.y & 0xffffu);
  if (size == 1u) {
    found[at] = vec2<u32>(word.x, block.z);
    return at + 1u;
  }
  var to = at;
  for (var c = 0u; c < 8u; c++) {
    let child = childOf(block, c, size);
    if (!isInside(child)) { continue; }
    found[to] = vec2<u32>(child.x | (child.y << 16u), child.z);
    to++;
  }
  return to;
}
