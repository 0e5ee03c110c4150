// Which flips bring the edge nearer to the zero set, or, with better triangles, not much farther off; they claim their four vertices,
// so that of two beside each other the first one is made.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
/// By flip: |f| at the middles of the edge that goes and of the one that comes.
@group(0) @binding(1) var<storage, read> offs: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> flips: array<vec4<u32>>;
/// By vertex: the complement of the first flip that wants it, or 0.
@group(0) @binding(3) var<storage, read_write> marks: array<atomic<u32>>;

/// How much nearer.
const GAIN = 0.8;
/// How much farther off: such an edge can be divided, as the one before could not.
const LOSS = 3.0;

fn claimFlip(item: u32) {
  var flip = flips[item];
  if (flip.x == NONE) { return; }
  let share = select(GAIN, LOSS, (flip.x & BETTER) != 0u);
  flip.x &= ~BETTER;
  let isGood = offs[item].y < share * offs[item].x;
  flips[item] = vec4<u32>(select(NONE, flip.x, isGood), flip.yzw);
  if (!isGood) { return; }
  for (var k = 0u; k < 4u; k++) { atomicMax(&marks[flip[k]], ~item); }
}
