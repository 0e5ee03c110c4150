// The mesh while it is made, as half-edges: side k of triangle t is half-edge 3 * t + k, from its corner k to the next.

struct Triangle {
  /// Counter-clockwise seen from f > 0. The first is NONE where the triangle is gone.
  corners: array<u32, 3>,
  /// The half-edges on the other side of each; NONE on the mesh's border.
  twins: array<u32, 3>,
}

/// No vectors are stored, because different invocations write a triangle's three words: those of a vector they may not.
fn vectorOf(words: array<u32, 3>) -> vec3<u32> { return vec3<u32>(words[0], words[1], words[2]); }

fn after(k: u32) -> u32 { return select(k + 1u, 0u, k == 2u); }
fn nextHalf(h: u32) -> u32 { return select(h + 1u, h - 2u, h % 3u == 2u); }
fn beforeHalf(h: u32) -> u32 { return select(h - 1u, h + 2u, h % 3u == 0u); }
