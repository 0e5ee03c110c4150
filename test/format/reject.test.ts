import { describe, expect, it } from 'vitest';
import { NsdfError, NsdfFormatError, NsdfUnsupportedError } from '../../src/errors.ts';
import type { NsdfIssue } from '../../src/format/issues.ts';
import { readNsdf, validateNsdf } from '../../src/format/read.ts';
import { sceneOf, writeNsdf } from '../../src/format/write.ts';
import { boxMlp, sphereField } from '../fixtures/fields.ts';
import { editField, editJson, firstField, type LooseJson, unpack } from './glb-tools.ts';

const GRID = writeNsdf(sphereField({ cells: [3, 5] }));
const PLAIN = writeNsdf(boxMlp());
const FIELD = '/meshes/0/primitives/0/extensions/NSDF_neural_field';

/** What the reader throws; the validator's first error is held to say the same. */
function rejection(file: Uint8Array): NsdfFormatError | NsdfUnsupportedError {
  const first = errorsOf(file)[0];
  try {
    readNsdf(file);
  } catch (error) {
    if (!(error instanceof NsdfFormatError) && !(error instanceof NsdfUnsupportedError)) throw error;
    expect(error.message).toContain(first.message);
    if (error instanceof NsdfFormatError) {
      expect([error.field, error.byteOffset]).toEqual([first.path, first.byteOffset]);
    } else expect(error.feature).toBe(first.feature);
    return error;
  }
  throw new Error('the file was read');
}

function errorsOf(file: Uint8Array): NsdfIssue[] {
  return validateNsdf(file).filter(({ severity }) => severity === 'error');
}

function expectFormatError(
  file: Uint8Array,
  message: RegExp,
  place: { field?: string; byteOffset?: number },
): void {
  const error = rejection(file);
  expect(error).toBeInstanceOf(NsdfFormatError);
  expect(error.message).toMatch(message);
  expect(error).toMatchObject(place);
}

function expectUnsupported(file: Uint8Array, feature: string, message: RegExp): void {
  const error = rejection(file);
  expect(error).toBeInstanceOf(NsdfUnsupportedError);
  expect(error).toMatchObject({ feature });
  expect(error.message).toMatch(message);
}

function withWord(file: Uint8Array, byteOffset: number, value: number): Uint8Array {
  const copy = file.slice();
  new DataView(copy.buffer).setUint32(byteOffset, value, true);
  return copy;
}

describe('the container', () => {
  it.each([0, 1, 11])('of %i bytes is no GLB', (length) => {
    expectFormatError(GRID.slice(0, length), new RegExp(`${length} bytes`), { byteOffset: 0 });
  });

  it('with another magic', () => {
    expectFormatError(withWord(GRID, 0, 0x46546c68), /not a GLB.*68 6c 54 46/, { byteOffset: 0 });
  });

  it('of GLB version 3', () => {
    expectUnsupported(withWord(GRID, 4, 3), 'GLB version 3', /expected 2/);
  });

  it('truncated anywhere', () => {
    for (let length = 12; length < GRID.length; length += 97) {
      expectFormatError(GRID.slice(0, length), /truncated: the header says \d+ bytes/, { byteOffset: 8 });
    }
  });

  it('whose chunk is longer than the file', () => {
    expectFormatError(withWord(GRID, 12, 0xfffffffc), /a chunk of 4294967292 bytes, but only/, {
      byteOffset: 12,
    });
  });

  it('whose first chunk is not JSON', () => {
    expectFormatError(withWord(GRID, 16, 0x004e4942), /first chunk is not JSON/, { byteOffset: 12 });
  });

  it('whose JSON is broken', () => {
    expectFormatError(withWord(GRID, 20, 0x7b7b7b7b), /not JSON/, { byteOffset: 20 });
    expectFormatError(withWord(GRID, 20, 0xffffffff), /not JSON/, { byteOffset: 20 });
  });

  it('that ends within a chunk header', () => {
    const file = new Uint8Array(GRID.length + 4);
    file.set(GRID);
    expectFormatError(withWord(file, 8, file.length), /within a chunk header/, { byteOffset: GRID.length });
  });

  it('but not one with bytes after its end or unknown chunks', () => {
    const file = new Uint8Array(GRID.length + 12);
    file.set(GRID);
    expect(readNsdf(file)).toEqual(readNsdf(GRID));
    expect(validateNsdf(file)).toMatchObject([{ severity: 'warning', code: 'container' }]);
    const words = new DataView(file.buffer, GRID.length);
    words.setUint32(0, 4, true);
    words.setUint32(4, 0x58595a20, true);
    expect(validateNsdf(withWord(file, 8, file.length))).toEqual([]);
  });
});

describe('glTF', () => {
  it('of another version', () => {
    const file = editJson(GRID, (json) => {
      json.asset.version = '3.0';
    });
    expectUnsupported(file, 'glTF 3.0', /expected 2.0/);
  });

  it('that requires an extension we don’t know', () => {
    const file = editJson(GRID, (json) => json.extensionsRequired.push('KHR_mesh_quantization'));
    expectUnsupported(file, 'KHR_mesh_quantization', /requires the extension/);
  });

  it('but not one that uses unknown ones, or requires ones about looks', () => {
    const file = editJson(GRID, (json) => {
      json.extensionsUsed.push('ACME_something', 'KHR_materials_clearcoat');
      json.extensionsRequired.push('KHR_materials_clearcoat');
      json.extensions = { ACME_something: { deep: [1, 2, 3] } };
    });
    expect(readNsdf(file)).toEqual(readNsdf(GRID));
  });

  it('without a field', () => {
    const file = editJson(GRID, (json) => {
      json.meshes[0].primitives[0].extensions = undefined;
    });
    expectFormatError(file, /no mesh primitive with the extension/, { field: '/meshes' });
  });

  it('whose buffer is longer than the BIN chunk', () => {
    const file = editJson(GRID, (json) => {
      json.buffers[0].byteLength = 2 ** 40;
    });
    expectFormatError(file, /1099511627776 bytes, but the BIN chunk has/, { field: '/buffers/0/byteLength' });
  });

  it('whose bufferView ends after its buffer', () => {
    const file = editJson(GRID, (json) => {
      json.bufferViews[1].byteLength = 2 ** 33;
    });
    expectFormatError(file, /of a buffer of/, { field: '/bufferViews/1' });
  });

  it('whose nodes go round in a circle, or are children twice', () => {
    const circle = editJson(GRID, (json) => {
      json.nodes = [{ mesh: 0 }, { children: [2] }, { children: [1] }];
      json.scenes[0].nodes = [1];
    });
    expectFormatError(circle, /listed twice, or is not a root/, { field: '/scenes/0/nodes' });
    const twice = editJson(GRID, (json) => {
      json.nodes = [{ children: [2] }, { children: [2] }, { mesh: 0 }];
    });
    expectFormatError(twice, /node 2 has more than one parent/, { field: '/nodes/1/children' });
  });

  it('whose graph is too deep to walk', () => {
    const file = editJson(GRID, (json) => {
      json.nodes = Array.from({ length: 100_000 }, (_, i) => ({ children: [i + 1] }));
      json.nodes.push({ mesh: 0 });
    });
    expectUnsupported(file, 'node depth', /more than 256 nodes deep/);
  });

  it.each([
    ['/nodes/0/mesh', /no mesh 7/, (json: LooseJson) => (json.nodes[0].mesh = 7)],
    ['/scenes/0/nodes', /no node 9/, (json: LooseJson) => (json.scenes[0].nodes = [9])],
    ['/scene', /no scene 3/, (json: LooseJson) => (json.scene = 3)],
    [
      '/meshes/0/primitives/0/material',
      /no material 1/,
      (json: LooseJson) => (json.meshes[0].primitives[0].material = 1),
    ],
    ['/bufferViews/0/buffer', /no buffer 5/, (json: LooseJson) => (json.bufferViews[0].buffer = 5)],
    ['/nodes/0/scale', /2 values, expected 3/, (json: LooseJson) => (json.nodes[0].scale = [1, 2])],
    ['/meshes', /expected an array of objects/, (json: LooseJson) => (json.meshes = 'none')],
    ['/asset', /missing/, (json: LooseJson) => (json.asset = undefined)],
  ])('with a wrong %s', (field, message, edit) => {
    expectFormatError(editJson(GRID, edit), message, { field });
  });
});

describe('a field', () => {
  it('of a future version', () => {
    const file = editField(GRID, (field) => {
      field.version = 2;
      field.encoding = 'something new';
    });
    expectUnsupported(file, 'version 2', /update nsdf-loader/);
  });

  it.each(['softplus', 'sine'])('with the activation %s', (activation) => {
    const file = editField(GRID, (field) => {
      field.mlp.activation = activation;
    });
    expectUnsupported(file, `activation ${activation}`, /only ReLU networks are piecewise; .*distil/);
  });

  it('with another convention or encoder', () => {
    const convention = editField(GRID, (field) => {
      field.encoding.convention = 'torch-ngp';
    });
    expectUnsupported(convention, 'convention torch-ngp', /expected "tiny-cuda-nn"/);
    const type = editField(GRID, (field) => {
      field.encoding.type = 'triplane';
    });
    expectUnsupported(type, 'type triplane', /expected "hash-grid" or "none"/);
    const dtype = editField(GRID, (field) => {
      field.dtype = 'q8';
    });
    expectUnsupported(dtype, 'dtype q8', /expected "f32" or "f16"/);
  });

  it('over two coordinates', () => {
    const domain = editField(GRID, (field) => {
      field.domain = { min: [-1, -1], max: [1, 1] };
    });
    expectUnsupported(domain, '2-D field', /2 dimensions, expected 3/);
    const network = editField(PLAIN, (field) => {
      field.mlp.layers[0].nIn = 2;
    });
    expectUnsupported(network, '2-D field', /a 2-D network/);
  });

  it('with an empty level set', () => {
    const file = editField(GRID, (field) => {
      field.encoding.levels = [];
    });
    expectFormatError(file, /level set is empty/, { field: `${FIELD}/encoding` });
  });

  it('without layers', () => {
    const file = editField(PLAIN, (field) => {
      field.mlp.layers = [];
    });
    expectFormatError(file, /0 layers, expected 1 to 256/, { field: `${FIELD}/mlp` });
  });

  it('whose shapes don’t chain', () => {
    const layers = editField(PLAIN, (field) => {
      field.mlp.layers[1].nIn = 5;
    });
    expectFormatError(layers, /layer 1 reads 5 values but layer 0 gives 6/, {
      field: `${FIELD}/mlp/layers/1`,
    });
    const input = editField(GRID, (field) => field.encoding.levels.pop());
    expectFormatError(input, /layer 0 reads 2 values but the encoding gives 1 levels \* 1/, {
      field: `${FIELD}/mlp/layers/0`,
    });
    const output = editField(GRID, (field) => {
      field.output.plus = 1;
    });
    expectFormatError(output, /row 1 of the last layer, which has only rows 0..0/, {
      field: `${FIELD}/output`,
    });
  });

  it('whose tables have another length than their level', () => {
    const table = editField(GRID, (field) => {
      field.encoding.levels[1].nEntries = 2 ** 32;
    });
    expectFormatError(table, /4294967296 f32 values are 17179869184 bytes/, {
      field: `${FIELD}/encoding/levels/1/bufferView`,
    });
    const short = editField(GRID, (field) => {
      field.encoding.levels[1].nEntries -= 8;
    });
    expectFormatError(short, /but bufferView 2 has/, { field: `${FIELD}/encoding/levels/1/bufferView` });
  });

  it('whose layers lie outside the MLP’s bytes', () => {
    const file = editField(PLAIN, (field) => {
      field.mlp.layers[2].weightsByteOffset = 4e9;
    });
    expectFormatError(file, /from byte 4000000000, but bufferView 0 has/, {
      field: `${FIELD}/mlp/layers/2/weightsByteOffset`,
    });
    const huge = editField(PLAIN, (field) => {
      field.mlp.layers[0].nIn = 65536;
      field.mlp.layers[0].nOut = 65536;
    });
    expectFormatError(huge, /4294967296 f32 values/, { field: `${FIELD}/mlp/layers/0/weightsByteOffset` });
  });

  it('whose bufferViews overlap, so that a small file would decode to a large one', () => {
    const file = editJson(GRID, (json) => {
      const [level] = firstField(json).encoding.levels.splice(0, 1);
      json.bufferViews[1].byteLength -= 4;
      for (let i = 0; i < 60; i++) {
        json.bufferViews.push({ buffer: 0, byteOffset: 4 * i, byteLength: level.nEntries * 4 });
        firstField(json).encoding.levels.push({ ...level, bufferView: json.bufferViews.length - 1 });
      }
    });
    const message = errorsOf(file).map((issue) => issue.message);
    expect(message.some((text) => /claim more than the \d+ bytes there are/.test(text))).toBe(true);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1e20])('with %f among its weights', (value) => {
    const { json, binByteOffset } = unpack(GRID);
    const view = json.bufferViews[firstField(json).encoding.levels[1].bufferView];
    const byteOffset = binByteOffset + view.byteOffset + 4 * 5;
    const file = GRID.slice();
    new DataView(file.buffer).setFloat32(byteOffset, value, true);
    expectFormatError(file, /the table of level 1 holds .* at 5, expected finite numbers/, {
      field: `${FIELD}/encoding/levels/1`,
      byteOffset,
    });
    const bias = binByteOffset + firstField(json).mlp.layers[0].biasByteOffset + 8;
    const other = GRID.slice();
    new DataView(other.buffer).setFloat32(bias, value, true);
    expectFormatError(other, /the bias of layer 0 holds .* at 2/, {
      field: `${FIELD}/mlp/layers/0/biasByteOffset`,
      byteOffset: bias,
    });
  });

  it.each([
    ['domain', /the domain's y range is \[1, 1\]/, (field: LooseJson) => (field.domain.min = [-1, 1, -1])],
    ['domain/max', /expected an array of numbers/, (field: LooseJson) => (field.domain.max = [1, '1', 1])],
    ['domain', /missing/, (field: LooseJson) => (field.domain = undefined)],
    ['valueScale', /expected a positive number/, (field: LooseJson) => (field.valueScale = -1)],
    [
      'sign',
      /expected "negative-inside" or "positive-inside"/,
      (field: LooseJson) => (field.sign = 'inside'),
    ],
    ['sha256', /64 lower-case hexadecimal digits/, (field: LooseJson) => (field.sha256 = 'abc')],
    [
      'region',
      /the region's z range is \[1, 2\], expected min < max and a part of the domain's \[-1, 1\]/,
      (field: LooseJson) => (field.region = { min: [-1, -1, 1], max: [0, 0, 2] }),
    ],
    [
      'region',
      /the region's x range is \[0, 0\]/,
      (field: LooseJson) => (field.region = { min: [0, -1, -1], max: [0, 0, 2] }),
    ],
    ['region/min', /missing/, (field: LooseJson) => (field.region = { max: [0, 0, 2] })],
    [
      'region/max',
      /2 values, expected 3/,
      (field: LooseJson) => (field.region = { min: [0, 0, 0], max: [0, 0] }),
    ],
    ['tolerance', /tolerance is 0, expected a positive number/, (field: LooseJson) => (field.tolerance = 0)],
    ['lodResolutions', /do not increase/, (field: LooseJson) => (field.lodResolutions = [8, 4])],
    ['output', /subtracted from itself/, (field: LooseJson) => (field.output.minus = 0)],
    [
      'encoding/levels/0',
      /dense with resolution 9 needs 729/,
      (field: LooseJson) => (field.encoding.levels[0].resolution = 9),
    ],
    ['encoding/levels/0', /scale is 1000/, (field: LooseJson) => (field.encoding.levels[0].scale = 1000)],
    ['encoding/levels/0', /scale is 0/, (field: LooseJson) => (field.encoding.levels[0].scale = 0)],
    [
      'encoding/levels/1/offset',
      /expected a number/,
      (field: LooseJson) => (field.encoding.levels[1].offset = null),
    ],
    ['mlp/layers/0', /expected an object, found 3/, (field: LooseJson) => (field.mlp.layers[0] = 3)],
  ])('with a wrong %s', (key, message, edit) => {
    expectFormatError(editField(GRID, edit), message, { field: `${FIELD}/${key}` });
  });
});

describe('a fallback mesh', () => {
  const fallback = {
    positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0),
    normals: null,
    indices: Uint32Array.of(0, 1, 2),
  };
  const file = writeNsdf(sceneOf(boxMlp(), { fallback }));

  it.each([
    ['/accessors/0', /need 12000000 bytes/, (json: LooseJson) => (json.accessors[0].count = 1e6)],
    [
      '/meshes/0/primitives/0/indices',
      /no accessor 8/,
      (json: LooseJson) => (json.meshes[0].primitives[0].indices = 8),
    ],
    [
      '/meshes/0/primitives/0/attributes/POSITION',
      /no accessor 8/,
      (json: LooseJson) => (json.meshes[0].primitives[0].attributes.POSITION = 8),
    ],
    [
      '/accessors/1/bufferView',
      /no bytes in this file/,
      (json: LooseJson) => (json.accessors[1].bufferView = 99),
    ],
    [
      '/meshes/0/primitives/0',
      /don't fit its 2 vertices/,
      (json: LooseJson) => (json.accessors[0].count = 2),
    ],
  ])('that is broken at %s', (field, message, edit) => {
    expectFormatError(editJson(file, edit), message, { field });
  });

  it('of another kind is left out with a warning', () => {
    const lines = editJson(file, (json) => {
      json.meshes[0].primitives[0].mode = 1;
    });
    expect(readNsdf(lines).nodes[0].mesh?.fields[0].fallback).toBeNull();
    expect(validateNsdf(lines)).toMatchObject([{ severity: 'warning', path: '/meshes/0/primitives/0' }]);
  });
});

describe('the validator', () => {
  it('lists every issue, each with its place', () => {
    const file = editField(GRID, (field) => {
      field.valueScale = 'one';
      field.mlp.activation = 'sine';
      field.mlp.layers[1].nOut = 0;
      field.encoding.levels[0].offset = 7;
      field.encoding.levels[1].indexing = 'sparse';
      field.output = undefined;
      field.colour = 'blue';
    });
    expect(
      validateNsdf(file).map(({ severity, code, path }) => [severity, code, path?.replace(FIELD, '')]),
    ).toEqual([
      ['warning', 'property-unknown', '/colour'],
      ['error', 'property-type', '/valueScale'],
      ['error', 'property-missing', '/output'],
      ['error', 'unsupported', '/mlp/activation'],
      ['error', 'property-range', '/encoding/levels/1/indexing'],
      ['error', 'property-range', '/encoding/levels/0'],
      ['error', 'property-range', '/mlp/layers/1'],
    ]);
    expect(() => readNsdf(file)).toThrow(NsdfError);
    expect(() => readNsdf(file)).toThrow(/and 5 more: validateNsdf lists them/);
  });

  it('looks at meshes outside the scene, too', () => {
    const file = editJson(GRID, (json) => {
      json.meshes.push({ primitives: [{ attributes: {}, extensions: { NSDF_neural_field: {} } }] });
    });
    expect(errorsOf(file).every(({ path }) => path?.startsWith('/meshes/1'))).toBe(true);
    expect(errorsOf(file).length).toBeGreaterThan(5);
  });
});
