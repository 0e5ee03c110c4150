// Chromium's command line in the tests, one list a purpose. All renders are on SwiftShader, in software: the
// same pixels on every machine.
const COMMON = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** WebGPU (compute and canvas) and WebGL. Without any one of the four the WebGPU canvas stays blank. */
export const WEBGPU_FLAGS = [
  ...COMMON,
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
  '--use-webgpu-adapter=swiftshader',
];

/** WebGL only: `navigator.gpu` exists, `requestAdapter()` gives null. */
export const WEBGL_ONLY_FLAGS = [...COMMON, '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
