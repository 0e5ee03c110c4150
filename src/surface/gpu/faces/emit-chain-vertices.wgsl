// A vertex for every inner point of every chain.

@group(0) @binding(0) var<uniform> detail: Detail;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> sums: array<u32>;
@group(0) @binding(4) var<storage, read> rectCorners: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> chainPoints: array<vec2<u32>>;
/// The number of points becomes the first one's vertex, with their number in the eight highest bits.
@group(0) @binding(7) var<storage, read_write> chains: array<vec4<u32>>;
@group(0) @binding(8) var<storage, read_write> vertices: array<vec4<f32>>;

fn emitChainVertices(chain: u32) {
  let record = chains[chain];
  let first = counts[N_EDGE_VERTICES] + sumBefore(chain);
  let axis = record.z >> 30u;
  let corners = rectCorners[record.z & 0x3fffffffu];
  let low = points[corners.x].xyz;
  let size = points[corners.w].xyz - low;
  let u = (axis + 1u) % 3u;
  let v = (axis + 2u) % 3u;
  for (var k = 0u; k < (record.w & ~ASTRAY); k++) {
    if (first + k >= arrayLength(&vertices)) { return; }
    let at = unpack2x16unorm(chainPoints[chain * CHAIN_SLOTS + k].x);
    var p = low;
    p[u] += at.x * size[u];
    p[v] += at.y * size[v];
    vertices[first + k] = vec4<f32>(p, bitcast<f32>(facesAt(p)));
  }
  chains[chain] = vec4<u32>(record.xyz, first | (record.w << 24u));
}
