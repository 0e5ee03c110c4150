// Where triangles are sampled: barycentric coordinates, in twelfths, and the side that the point is on (3: inside).

const N_PATTERN = 19u;
const PATTERN = array<vec4<u32>, N_PATTERN>(
  vec4<u32>(6u, 6u, 0u, 0u), vec4<u32>(0u, 6u, 6u, 1u), vec4<u32>(6u, 0u, 6u, 2u),
  vec4<u32>(4u, 4u, 4u, 3u), vec4<u32>(8u, 2u, 2u, 3u), vec4<u32>(2u, 8u, 2u, 3u), vec4<u32>(2u, 2u, 8u, 3u),
  vec4<u32>(9u, 3u, 0u, 0u), vec4<u32>(3u, 9u, 0u, 0u), vec4<u32>(0u, 9u, 3u, 1u), vec4<u32>(0u, 3u, 9u, 1u),
  vec4<u32>(3u, 0u, 9u, 2u), vec4<u32>(9u, 0u, 3u, 2u),
  vec4<u32>(5u, 5u, 2u, 3u), vec4<u32>(2u, 5u, 5u, 3u), vec4<u32>(5u, 2u, 5u, 3u),
  vec4<u32>(10u, 1u, 1u, 3u), vec4<u32>(1u, 10u, 1u, 3u), vec4<u32>(1u, 1u, 10u, 3u),
);
