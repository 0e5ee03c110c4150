// Where each divided triangle's other parts begin, and how its quadrilateral is divided.

@group(0) @binding(0) var<uniform> round: Round;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> divided: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
@group(0) @binding(4) var<storage, read> sums: array<u32>;
@group(0) @binding(5) var<storage, read> vertices: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(7) var<storage, read_write> childAts: array<u32>;

fn recordChildren(item: u32) {
  let d = divided[item];
  let t = vectorOf(triangles[d.w].corners);
  let turn = turnOf(d.xyz);
  let first = counts[round.vertices] - 1u;
  let a = vertices[t[turn]].xyz;
  let c = vertices[t[after(after(turn))]].xyz;
  let x = vertices[first + d[turn]].xyz;
  let y = vertices[first + max(1u, d[after(turn)])].xyz;
  let isAy = countSplits(d.xyz) == 2u && distance(a, y) <= distance(x, c);
  childAts[d.w] = (counts[round.triangles] + sumBefore(item)) | select(0u, DIAGONAL_AY, isAy);
}
