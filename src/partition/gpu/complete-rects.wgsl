// Puts the corners' numbers in their place, where they were asked for, and what bounds f on the rectangle.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> nodeBounds: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> numbers: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> rects: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> rectCorners: array<vec4<u32>>;

fn completeRect(rect: u32) {
  let record = rects[rect];
  if (record.w != 0u) { rectCorners[rect] = numbers[record.w - 1u]; }
  // The leaf with the tighter bounds.
  var span = 3e38;
  if (record.x != NONE) { span = nodeBounds[record.x].w; }
  if (record.y != NONE) { span = min(span, nodeBounds[record.y].w); }
  rects[rect] = vec4<u32>(record.xyz, bitcast<u32>(span));
}
