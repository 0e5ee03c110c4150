// Edges of boxes, as kernels see them. An edge is what lies between two corners next to each other on a line of the fine
// lattice; its number is 3 * its lower corner + its axis.
//
//   edgeEnds[edge]   its upper corner + 1, with the highest bit set where f may vanish on it; 0 where there is no such edge
//   edgeRoots[edge]  its first root's vertex, and how many roots it has

const MAY_VANISH = 0x80000000u;
/// Corners on one side of a rectangle, at most.
const MAX_STEPS = 1025u;

/// The upper corner of an edge that there is.
fn endOf(word: u32) -> u32 { return (word & ~MAY_VANISH) - 1u; }
