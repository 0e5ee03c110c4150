// Tells which vertices are inside of a page, and lists them. In what order they are listed says nothing about what comes out.

@group(0) @binding(0) var<uniform> thinning: Thinning;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(3) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> thinned: array<Thinned>;
@group(0) @binding(5) var<storage, read_write> heads: array<atomic<u32>>;

fn pageOf(vertex: u32) -> u32 {
  let at = floor((vertices[vertex].xyz - thinning.origin) * thinning.perLength);
  let page = min(vec3<u32>(max(at, vec3<f32>(0.0))), thinning.nPages - 1u);
  return page.x + thinning.nPages.x * (page.y + thinning.nPages.y * page.z);
}

fn sortVertex(vertex: u32) {
  let spoke = atomicLoad(&thinned[vertex].spoke);
  thinned[vertex].isInner = 0u;
  atomicStore(&thinned[vertex].claim, 0u);
  // What lies on a face of the domain or a seam stays (mesh.wgsl).
  if (spoke == 0u || bitcast<u32>(vertices[vertex].w) != 0u) { return; }
  let h = spoke - 1u;
  let page = pageOf(vertex);
  var isInner = ringSize(h) != 0u;
  var g = h;
  for (var i = 0u; i < MAX_RING && isInner; i++) {
    isInner = pageOf(targetOf(g)) == page;
    g = nextSpoke(g);
    if (g == h) { break; }
  }
  if (!isInner) { return; }
  thinned[vertex].isInner = 1u;
  thinned[vertex].isDirty = 1u;
  thinned[vertex].goal = 0u;
  thinned[vertex].next = atomicExchange(&heads[page * N_LISTS + vertex % N_LISTS], vertex + 1u);
}
