/// Distance of a point from a triangle with a corner at the origin and the others at u and v. As MeshEditor.distanceTo.
fn distanceFrom(p: vec3<f32>, u: vec3<f32>, v: vec3<f32>) -> f32 {
  let uu = dot(u, u);
  let uv = dot(u, v);
  let vv = dot(v, v);
  let up = dot(u, p);
  let vp = dot(v, p);
  let det = uu * vv - uv * uv;
  let s = vv * up - uv * vp;
  let t = uu * vp - uv * up;
  let isInside = det > 0.0 && s >= 0.0 && t >= 0.0 && s + t <= det;
  let inside = p - (s * u + t * v) / select(1.0, det, isInside);
  // On a side: the nearest of the three.
  let ww = dot(v - u, v - u);
  let onU = p - clamp(up / max(uu, 1e-37), 0.0, 1.0) * u;
  let onV = p - clamp(vp / max(vv, 1e-37), 0.0, 1.0) * v;
  let onW = p - u - clamp(dot(v - u, p - u) / max(ww, 1e-37), 0.0, 1.0) * (v - u);
  let side2 = min(dot(onU, onU), min(dot(onV, onV), dot(onW, onW)));
  return sqrt(select(side2, dot(inside, inside), isInside));
}
