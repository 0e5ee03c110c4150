// Takes back the claims of flips.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> flips: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> marks: array<atomic<u32>>;

fn forgetFlip(item: u32) {
  let flip = flips[item];
  if (flip.x == NONE) { return; }
  for (var k = 0u; k < 4u; k++) { atomicStore(&marks[flip[k]], 0u); }
}
