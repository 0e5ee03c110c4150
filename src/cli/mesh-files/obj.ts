import { NsdfFormatError } from '../../errors.ts';
import { MeshBuilder, type MeshData, type MeshFormat } from './mesh-data.ts';

/** Wavefront OBJ text: positions, normals and faces written; positions and faces read, whatever else there is. */
export const OBJ: MeshFormat = { write, read };

function write({ positions, normals, indices, origin }: MeshData): Uint8Array {
  const lines = ['# by nsdf-loader'];
  // An f32 has at most 9 significant digits: more would only lengthen the file.
  const vec3 = (values: Float32Array, k: number) =>
    `${shortest(values[k])} ${shortest(values[k + 1])} ${shortest(values[k + 2])}`;
  const place = (k: number) =>
    origin === undefined ? vec3(positions, k) : origin.map((at, axis) => positions[k + axis] + at).join(' ');
  for (let k = 0; k < positions.length; k += 3) lines.push(`v ${place(k)}`);
  if (normals !== null) for (let k = 0; k < normals.length; k += 3) lines.push(`vn ${vec3(normals, k)}`);
  const corner = (i: number) => {
    const v = indices[i] + 1;
    return normals === null ? `${v}` : `${v}//${v}`;
  };
  for (let i = 0; i < indices.length; i += 3) lines.push(`f ${corner(i)} ${corner(i + 1)} ${corner(i + 2)}`);
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

/** The shortest decimal that reads back as the same f32. */
function shortest(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

function read(bytes: Uint8Array): MeshData {
  const builder = new MeshBuilder();
  const lines = new TextDecoder('latin1')
    .decode(bytes)
    .replace(/\\\r?\n/g, ' ')
    .split('\n');
  let nKnown = 0;
  lines.forEach((line, i) => {
    const [keyword, ...words] = line.trim().split(/\s+/);
    const place = { field: `line ${i + 1}` };
    if (keyword === 'v') {
      const [x, y, z] = words.map(Number);
      if (words.length < 3 || !Number.isFinite(x + y + z)) {
        throw new NsdfFormatError(`line ${i + 1}: not a vertex: "${line.slice(0, 60)}"`, place);
      }
      builder.addVertex(x, y, z);
    } else if (keyword === 'f') {
      builder.addPolygon(
        words.map((word) => vertexOf(word, builder.nVertices)),
        place,
      );
    }
    if (/^(#.*|v[tnp]?|f|[gosl]|usemtl|mtllib|p|)$/.test(keyword)) nKnown++;
  });
  if (nKnown * 2 >= lines.length) return builder.mesh();
  throw new NsdfFormatError('not an OBJ: most lines start with no keyword of it', { byteOffset: 0 });
}

/** `7`, `7/1`, `7//1`, `7/1/1`, or counted back from the last vertex: `-1`. */
function vertexOf(word: string, nVertices: number): number {
  const number = Number(word.split('/')[0]);
  return number < 0 ? nVertices + number : number - 1;
}
