// Triangles by where they are: each is in one cell of the finest division whose cells are as large as its bounding box, the one that the
// box's middle is in, and reaches no farther than half a cell from there. Divisions have N_CELLS cells along each axis of the box that
// the mesh lies in, half as many, down to one.
//
// N_HEADS is the number of all divisions' cells. `cells` is bound by whoever includes this: first of all divisions' cells the first triangle, + 1, or 0; then of each triangle the next
// one in its cell, + 1, and its corners.

const N_DIVISIONS = firstLeadingBit(N_CELLS) + 1u;

fn cellsAlong(division: u32) -> u32 { return N_CELLS >> division; }

fn cellSize(division: u32) -> vec3<f32> { return (detail.high - detail.low) / f32(cellsAlong(division)); }

/// The cell of a division that a place is in, or the one that is nearest to it.
fn cellAt(p: vec3<f32>, division: u32) -> vec3<u32> {
  let at = floor((p - detail.low) / cellSize(division));
  return vec3<u32>(clamp(at, vec3<f32>(0.0), vec3<f32>(f32(cellsAlong(division) - 1u))));
}

fn headOf(cell: vec3<u32>, division: u32) -> u32 {
  let n = cellsAlong(division);
  // Coarser divisions come first.
  let first = (n * n * n - 1u) / 7u;
  return first + cell.x + n * (cell.y + n * cell.z);
}

/// Where the words of a triangle begin.
fn wordsOf(triangle: u32) -> u32 { return N_HEADS + TRIANGLE_WORDS * triangle; }
