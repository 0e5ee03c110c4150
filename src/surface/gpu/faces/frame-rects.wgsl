// The frames of the rectangles that have curves.

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read> listed: array<u32>;
@group(0) @binding(2) var<storage, read> rects: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> rectCorners: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> points: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> offsets: array<u32>;
@group(0) @binding(6) var<storage, read> sums: array<u32>;
@group(0) @binding(7) var<storage, read_write> frames: array<RectFrame>;

fn frameRect(item: u32) {
  let rect = listed[item];
  let c = rectCorners[rect];
  frames[item].corners = c;
  frames[item].f = vec4<f32>(points[c.x].w, points[c.y].w, points[c.z].w, points[c.w].w);
  frames[item].low = points[c.x].xyz;
  frames[item].high = points[c.w].xyz;
  frames[item].rect = rect;
  frames[item].axis = rects[rect].z;
  frames[item].firstCurve = sumBefore(rect);
}
