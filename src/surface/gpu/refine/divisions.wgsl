// How a triangle a b c is divided. Turned so that of one divided side it is the first, of two they are the first two, with x
// on a b, y on b c and z on c a:
//
//   one     a x c in its place; x b c at the end
//   two     a x y, x b y, a y c, or, where the diagonal x c is the shorter one, a x c, x b y, x y c
//   three   a x z, x b y, z y c, x y z
//
// Where the triangles at the end begin is kept by triangle (childAt), with the highest bit set for the diagonal a y.

const DIAGONAL_AY = 0x80000000u;

fn countSplits(d: vec3<u32>) -> u32 {
  return select(0u, 1u, d.x != 0u) + select(0u, 1u, d.y != 0u) + select(0u, 1u, d.z != 0u);
}

/// How often the corners are turned.
fn turnOf(d: vec3<u32>) -> u32 {
  let n = countSplits(d);
  let ofOne = select(select(0u, 2u, d.z != 0u), 1u, d.y != 0u);
  let ofTwo = select(select(0u, 1u, d.x == 0u), 2u, d.y == 0u);
  return select(select(0u, ofOne, n == 1u), ofTwo, n == 2u);
}

/// The half-edge that a side (or the first or the second part of it) becomes.
/// @param d divisions of the triangle's sides + 1, or 0.
fn partOf(id: u32, d: vec3<u32>, childAt: u32, side: u32, part: u32) -> u32 {
  let n = countSplits(d);
  let at = 3u * (childAt & ~DIAGONAL_AY);
  let isAy = (childAt & DIAGONAL_AY) != 0u;
  let first = 3u * id;
  let r = (side + 3u - turnOf(d)) % 3u;
  if (n == 0u) { return first + side; }
  if (r == 0u) { return select(first, at, part == 1u); }
  if (r == 1u) { return select(at + 1u, at + 4u, n != 1u && part == 1u); }
  let last = select(first + 2u, at + 5u, n == 2u && isAy);
  return select(last, select(at + 5u, first + 2u, part == 1u), n == 3u);
}
