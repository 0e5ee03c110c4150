/** The WGSL types that a struct shared with the GPU may have. */
export type WgslType =
  | 'f32'
  | 'u32'
  | 'i32'
  | 'vec2<f32>'
  | 'vec2<u32>'
  | 'vec3<f32>'
  | 'vec3<u32>'
  | 'vec4<f32>'
  | 'vec4<u32>';

/** A value of a field: a number, or one number a component. */
type FieldValue = number | ArrayLike<number>;

/** A struct that exists once for both languages. */
export interface GpuStruct<K extends string> {
  readonly name: string;
  /** The declaration in WGSL. */
  readonly wgsl: string;
  /** Bytes of one struct, padding at its end included: also the stride of an array of them. */
  readonly byteLength: number;
  readonly byteOffsets: Readonly<Record<K, number>>;
  /** The bytes of structs with these values, one after the other. */
  pack(...values: readonly Readonly<Record<K, FieldValue>>[]): ArrayBuffer;
}

const WIDTH: Readonly<Record<string, number>> = { v: 1, vec2: 2, vec3: 3, vec4: 4 };

interface Layout {
  readonly type: WgslType;
  readonly width: number;
  readonly byteOffset: number;
}

/**
 * Declares a struct: WGSL's text and the byte offsets come from the same list of fields.
 * @see the WGSL specification, "Alignment and Size": vec2 is aligned to 8 bytes, vec3 and vec4 to 16. The struct itself
 * is aligned to 16, so that arrays of it may lie in uniform buffers too.
 */
export function defineStruct<K extends string>(
  name: string,
  fields: Readonly<Record<K, WgslType>>,
): GpuStruct<K> {
  const layouts = new Map<K, Layout>();
  let end = 0;
  for (const key of Object.keys(fields) as K[]) {
    const type = fields[key];
    const width = WIDTH[type.split('<')[0]] ?? 1;
    const alignment = width === 1 ? 4 : width === 2 ? 8 : 16;
    const byteOffset = Math.ceil(end / alignment) * alignment;
    layouts.set(key, { type, width, byteOffset });
    end = byteOffset + width * 4;
  }
  const byteLength = Math.ceil(end / 16) * 16;
  const lines = [...layouts].map(([key, { type }]) => `  ${key}: ${type},`);
  const padded = `@size(${byteLength - (layouts.get([...layouts.keys()].at(-1) as K)?.byteOffset ?? 0)})`;
  const last = lines.pop() ?? '';
  return {
    name,
    wgsl: `struct ${name} {\n${[...lines, `  ${padded} ${last.trim()}`].join('\n')}\n}\n`,
    byteLength,
    byteOffsets: Object.fromEntries([...layouts].map(([key, { byteOffset }]) => [key, byteOffset])) as Record<
      K,
      number
    >,
    pack(...values) {
      const bytes = new ArrayBuffer(values.length * byteLength);
      const view = new DataView(bytes);
      values.forEach((value, i) => {
        for (const [key, layout] of layouts) writeField(view, i * byteLength, layout, value[key]);
      });
      return bytes;
    },
  };
}

function writeField(
  view: DataView,
  base: number,
  { type, width, byteOffset }: Layout,
  value: FieldValue,
): void {
  for (let k = 0; k < width; k++) {
    const component = typeof value === 'number' ? value : value[k];
    const at = base + byteOffset + k * 4;
    if (type.includes('f32')) view.setFloat32(at, component, true);
    else if (type.includes('i32')) view.setInt32(at, component, true);
    else view.setUint32(at, component, true);
  }
}
