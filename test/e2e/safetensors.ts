import { octahedronMlp } from '../fixtures/fields.ts';

/** The octahedron as its trainer would have saved it: a plain ReLU MLP without encoder. */
export function octahedronSafetensors(): Uint8Array {
  const header: Record<string, unknown> = {
    __metadata__: { encoder: 'none', domain: '[-1,1]^3', output: 'out[0]' },
  };
  const parts: Uint8Array[] = [];
  let end = 0;
  const add = (name: string, shape: number[], values: Float32Array): void => {
    const begin = end;
    end += values.byteLength;
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  };
  octahedronMlp().layers.forEach(({ nIn, nOut, weights, bias }, index) => {
    add(`fc.${index}.weight`, [nOut, nIn], weights);
    if (bias) add(`fc.${index}.bias`, [nOut], bias);
  });
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}
