/** WGSL is plain text; the build imports it as a string. */
declare module '*.wgsl' {
  const text: string;
  export default text;
}
