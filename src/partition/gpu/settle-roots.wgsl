// Settles whole trees: a workgroup takes ROOTS roots that lie beside each other, and all that comes of them. What is to be settled
// lies on a stack; all lanes take cells from its top, so that a deep tree has all lanes of its workgroup, and no level of the
// trees is a dispatch.
//
// Cells are scratch: where they go depends on which workgroup asks first, and nothing else does. A child is known by its number
// among its group's, and place-nodes.wgsl puts all of them in the order of the groups.

/// Cells that were asked for beside the roots.
@group(0) @binding(7) var<storage, read_write> pool: array<atomic<u32>>;
/// Cells of each group beside its roots.
@group(0) @binding(8) var<storage, read_write> totals: array<u32>;

/// The roots, and for each of the bisections that a cell may be away from its root as many as there are lanes.
const STACK = 1024u;
/// A cell and one of its faces: the face takes what is above the lane's bits.
const LANE_BITS = 5u;
const FACES = 6u;

/// Cells that are to be settled.
var<workgroup> stack: array<u32, STACK>;
/// By lane: how its cell turned out as a whole; then the lowest face that it is to be bisected for, with the axis.
var<workgroup> outcomes: array<u32, GROUP>;
var<workgroup> worstFace: array<atomic<u32>, GROUP>;
/// Faces that are to be looked into.
var<workgroup> faces: array<u32, FACES * GROUP>;
var<workgroup> nFaces: atomic<u32>;
/// Lanes whose cells are to be bisected.
var<workgroup> splitLanes: atomic<u32>;
/// Where their children go, or NONE, and how many of them there are.
var<workgroup> children: vec2<u32>;

@compute @workgroup_size(GROUP)
fn settleRoots(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) nWorkgroups: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
) {
  let group = workgroup.x + workgroup.y * nWorkgroups.x;
  let nRoots = min(counts[N_ROOTS], settling.room);
  let first = group * ROOTS;
  if (first >= nRoots) { return; }
  var size = min(ROOTS, nRoots - first);
  for (var i = t; i < size; i += GROUP) {
    cells[first + i].node = vec4<u32>(first + i, 0u, NODE_PENDING, 0u);
    // The first one on top.
    stack[size - 1u - i] = first + i;
  }
  let most = mostOfGroup(nRoots);
  // Cells beside the roots so far, and where the last of them begin.
  var made = 0u;
  var last = first;
  while (size > 0u) {
    storageBarrier();
    if (t == 0u) {
      atomicStore(&nFaces, 0u);
      atomicStore(&splitLanes, 0u);
    }
    atomicStore(&worstFace[t], NONE);
    workgroupBarrier();
    let n = min(GROUP, size);
    let cell = stack[size - 1u - min(t, n - 1u)];
    settleCells(size - 1u, n, t);
    if (t < n) { concludeCell(cell, t); }
    workgroupBarrier();
    size -= n;
    if (t == 0u) { children = reserve(nRoots, 2u * countOneBits(atomicLoad(&splitLanes)), most - made, size); }
    let next = workgroupUniformLoad(&children);
    let lanes = atomicLoad(&splitLanes);
    if (((lanes >> t) & 1u) != 0u) {
      let at = 2u * countOneBits(lanes & ((1u << t) - 1u));
      if (next.y == 0u) { leaveUnsettled(cell); } else { bisect(cell, next.x + at, made + at, size + next.y - 1u - at); }
    }
    if (next.y == 0u) { continue; }
    if (t == 0u) { cells[last].next = next; }
    last = next.x;
    size += next.y;
    made += next.y;
  }
  if (t == 0u) {
    cells[last].next = vec2<u32>(NONE, 0u);
    totals[group] = made;
  }
}

/// Settles the cells on top of the stack, at most GROUP of them: each as a whole, then the faces that this leaves open.
fn settleCells(top: u32, n: u32, t: u32) {
  for (var turn = 0u; turn < settling.nPasses; turn++) {
    let isWhole = turn == 0u;
    let nParts = select(atomicLoad(&nFaces), n, isWhole);
    for (var part = t; part < nParts; part += GROUP) {
      let packed = select(faces[part], part, isWhole);
      let lane = packed & (GROUP - 1u);
      let face = packed >> LANE_BITS;
      let cell = stack[top - lane];
      let node = cells[cell].node;
      takeNode(node);
      beginPart(isWhole, face);
      let across = select(face >> 1u, WHOLE, isWhole);
      let axis = concludeRegion(cell, nodeExtent(node, fine.subBits), across, findDirection());
      if (isWhole) {
        outcomes[lane] = axis;
        listFaces(lane, select(0u, facesLeft, axis == SETTLED));
      } else if (axis != SETTLED) { atomicMin(&worstFace[lane], (face << 3u) | axis); }
    }
    workgroupBarrier();
  }
}

fn listFaces(lane: u32, open: u32) {
  if (open == 0u) { return; }
  var at = atomicAdd(&nFaces, countOneBits(open));
  for (var left = open; left != 0u; left &= left - 1u) {
    faces[at] = lane | (firstTrailingBit(left) << LANE_BITS);
    at++;
  }
}

/// Writes how a cell turned out.
fn concludeCell(cell: u32, t: u32) {
  let worst = atomicLoad(&worstFace[t]);
  let axis = select(worst & 7u, outcomes[t], worst == NONE);
  var state = NODE_SPLIT;
  if (axis == UNSETTLED) { state = NODE_UNSETTLED; }
  if (axis == SETTLED) { state = NODE_SETTLED; }
  if (axis == EMPTY) { state = NODE_EMPTY; }
  if (state == NODE_SPLIT) { atomicOr(&splitLanes, 1u << t); }
  let node = cells[cell].node;
  cells[cell].node = vec4<u32>(node.xy, (node.z & 0xfffu) | (state << 12u) | ((axis & 3u) << 15u), 0u);
}

/// Room for children: where it begins, and how many there are; none where it is too little.
/// @param most that the group may have; `size` of the stack.
fn reserve(nRoots: u32, wanted: u32, most: u32, size: u32) -> vec2<u32> {
  if (wanted == 0u || wanted > most || size + wanted > STACK) { return vec2<u32>(NONE, 0u); }
  let at = nRoots + atomicAdd(&pool[0], wanted);
  return select(vec2<u32>(NONE, 0u), vec2<u32>(at, wanted), at + wanted <= settling.room);
}

/// Cells that a group may have beside its roots. Where there is as much room as there may ever be, each has its share: who
/// comes first must not decide which trees end.
fn mostOfGroup(nRoots: u32) -> u32 {
  let budget = max(2.0 * f32(nRoots), settling.perRoot * f32(nRoots) + settling.beside);
  if (f32(settling.room) < 0.9999 * budget) { return NONE; }
  return (settling.room - nRoots) / ((nRoots + ROOTS - 1u) / ROOTS);
}

fn leaveUnsettled(cell: u32) {
  let node = cells[cell].node;
  cells[cell].node = vec4<u32>(node.xy, (node.z & 0xfffu) | (NODE_UNSETTLED << 12u), 0u);
}

/// @param at where the first child goes; `number` its number in the group, `place` its place on the stack.
fn bisect(cell: u32, at: u32, number: u32, place: u32) {
  let node = vec4<u32>(cells[cell].node.xyz, number);
  cells[cell].node = node;
  let axis = nodeAxis(node);
  let half = nodeExtent(node, fine.subBits)[axis] >> 1u;
  let depth = (node.z & 0xfffu) + (1u << (4u * axis));
  cells[at].node = vec4<u32>(node.x, node.y, depth, 0u);
  cells[at + 1u].node = vec4<u32>(node.x, node.y + (half << (10u * axis)), depth, 0u);
  stack[place] = at;
  stack[place - 1u] = at + 1u;
}
