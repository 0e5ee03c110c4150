import { BUDGETS } from '../budgets.ts';
import type { Box3, GridLevel, IdentityEncoding, MlpLayer, OutputRule } from './asset.ts';
import { ATTRIBUTE_NAMES, attributeWidths } from './attribute-names.ts';
import type { IssueList, NsdfPlace } from './issues.ts';
import { describe } from './json-object.ts';

/** Limits that keep every later count within exact integers and sane memory. */
export const FIELD_LIMITS = {
  nLevels: 64,
  nFeaturesPerLevel: 64,
  log2HashmapSize: 32,
  resolution: 2 ** 20,
  nEntries: 2 ** 32,
  nLayers: 256,
  layerWidth: 65536,
  lodResolution: 65536,
  /** Beyond this, products of two activations leave float32; a flipped exponent bit lands here. */
  weightMagnitude: 1e18,
  /** f is a distance in local units: beyond this either way, its products leave float32, or floats altogether. */
  valueScaleMagnitude: 1e18,
  /** Steps of double precision along a domain's axis: below, planes and points of it are not to be told apart. */
  domainSteps: 2 ** 20,
} as const;

/** Where the parts of a network come from, for messages: JSON pointers, tensor names, bytes. */
export interface NetworkPlaces {
  readonly encoding: NsdfPlace;
  readonly mlp: NsdfPlace;
  level(index: number): NsdfPlace;
  /** `element` counts values of the level's table. */
  levelParams(index: number, element: number): NsdfPlace;
  layer(index: number): NsdfPlace;
  weights(index: number, element: number): NsdfPlace;
  bias(index: number, element: number): NsdfPlace;
}

/** Where the parts of a field come from. */
export interface FieldPlaces extends NetworkPlaces {
  readonly domain: NsdfPlace;
  readonly output: NsdfPlace;
  readonly valueScale: NsdfPlace;
  readonly lodResolutions: NsdfPlace;
  readonly region: NsdfPlace;
  readonly tolerance: NsdfPlace;
  readonly attributes: NsdfPlace;
  attribute(name: string): NetworkPlaces;
}

/** @param prefix of the paths: what owns the network. */
const memoryNetwork = (prefix = ''): NetworkPlaces => ({
  encoding: { path: `${prefix}encoding` },
  mlp: { path: `${prefix}layers` },
  level: (index) => ({ path: `${prefix}encoding.levels[${index}]` }),
  levelParams: (index, element) => ({ path: `${prefix}encoding.levels[${index}].params[${element}]` }),
  layer: (index) => ({ path: `${prefix}layers[${index}]` }),
  weights: (index, element) => ({ path: `${prefix}layers[${index}].weights[${element}]` }),
  bias: (index, element) => ({ path: `${prefix}layers[${index}].bias[${element}]` }),
});

/** Places of a field that never was in a file: property paths. */
export const MEMORY_PLACES: FieldPlaces = {
  ...memoryNetwork(),
  domain: { path: 'domain' },
  output: { path: 'output' },
  valueScale: { path: 'valueScale' },
  lodResolutions: { path: 'lodResolutions' },
  region: { path: 'region' },
  tolerance: { path: 'tolerance' },
  attributes: { path: 'attributes' },
  attribute: (name) => memoryNetwork(`attributes.${name}.`),
};

/** A grid as far as it could be read. */
export interface GridParts {
  readonly kind: 'hash-grid';
  readonly nFeaturesPerLevel: number;
  readonly log2HashmapSize: number | null;
  readonly levels: readonly (GridLevel | null)[];
}

/** A network as far as it could be read: what is null or absent is not checked. */
export interface NetworkParts {
  readonly encoding?: IdentityEncoding | GridParts | null;
  readonly layers?: readonly (MlpLayer | null)[] | null;
}

/** A field as far as it could be read. */
export interface FieldParts extends NetworkParts {
  readonly domain?: Box3 | null;
  readonly valueScale?: number | null;
  readonly lodResolutions?: readonly number[] | null;
  readonly region?: Box3 | null;
  readonly tolerance?: number | null;
  readonly output?: OutputRule | null;
  readonly attributes?: Readonly<Record<string, NetworkParts | null>> | null;
}

/**
 * Every rule that a field has to obey, whatever it came from: the reader, the validator, the writer and the importers
 * all ask here. Rules about one number are `property-range` (the JSON schema has them too), rules between several
 * are `shape` or `length`.
 */
export function checkField(parts: FieldParts, places: FieldPlaces, issues: IssueList): void {
  const { domain, lodResolutions, layers, output, attributes } = parts;
  if (domain) checkDomain(domain, places.domain, issues);
  for (const key of ['valueScale', 'tolerance'] as const) {
    const value = parts[key];
    if (typeof value !== 'number' || (value > 0 && Number.isFinite(value))) continue;
    issues.error('property-range', `${key} is ${value}, expected a positive number`, places[key]);
  }
  const { valueScale } = parts;
  const limit = FIELD_LIMITS.valueScaleMagnitude;
  if (typeof valueScale === 'number' && valueScale > 0 && Number.isFinite(valueScale)) {
    if (valueScale < 1 / limit || valueScale > limit) {
      const message = `found ${valueScale}, expected a number from ${1 / limit} to ${limit}`;
      issues.error('property-range', message, places.valueScale);
    }
  }
  if (domain && parts.region) checkRegion(parts.region, domain, places.region, issues);
  if (lodResolutions) checkLod(lodResolutions, places.lodResolutions, issues);
  const networks = Object.values(attributes ?? {});
  checkSize([parts, ...networks], places.mlp, issues);
  checkNetwork(parts, places, issues);
  const last = layers?.at(-1);
  if (last && output) checkOutput(output, last.nOut, places.output, issues);
  if (attributes) checkAttributes(attributes, places, issues);
}

function checkNetwork({ encoding, layers }: NetworkParts, places: NetworkPlaces, issues: IssueList): void {
  if (encoding?.kind === 'hash-grid') checkGrid(encoding, places, issues);
  if (layers) checkLayers(layers, places, issues);
  const first = layers?.at(0);
  if (first && encoding) checkInput(first.nIn, encoding, places.layer(0), issues);
  checkWeights(encoding ?? null, layers ?? [], places, issues);
}

/** Names and widths are glTF's. */
function checkAttributes(
  attributes: NonNullable<FieldParts['attributes']>,
  places: FieldPlaces,
  issues: IssueList,
): void {
  const names = Object.keys(attributes);
  if (names.length > BUDGETS.nAttributes) {
    const message = `${names.length} attributes, expected at most ${BUDGETS.nAttributes}`;
    issues.error('property-range', message, places.attributes);
  }
  for (const name of names) {
    const widths = attributeWidths(name);
    const place = places.attribute(name);
    if (widths === null) {
      const message = `${describe(name)} names no attribute that a field can give, expected ${ATTRIBUTE_NAMES}`;
      issues.error('property-range', message, places.attributes);
      continue;
    }
    const parts = attributes[name];
    if (parts === null) continue;
    checkNetwork(parts, place, issues);
    const nOut = parts.layers?.at(-1)?.nOut;
    if (nOut === undefined || widths.includes(nOut)) continue;
    const message = `${name} has ${nOut} outputs, expected ${widths.join(' or ')}`;
    issues.error('shape', message, place.layer((parts.layers as readonly unknown[]).length - 1));
  }
}

const isCount = (n: number, max: number): boolean => Number.isInteger(n) && n >= 1 && n <= max;

/** The box needs a positive extent on every axis, which double precision resolves where it lies and float32 holds. */
function checkDomain(domain: Box3, place: NsdfPlace, issues: IssueList): void {
  if (domain.min.length !== 3 || domain.max.length !== 3) {
    const nDims = domain.min.length;
    issues.unsupported(
      `${nDims}-D field`,
      `the domain has ${nDims} dimensions, expected 3: only fields over three coordinates can be meshed`,
      place,
    );
    return;
  }
  for (let axis = 0; axis < 3; axis++) {
    const [min, max] = [domain.min[axis], domain.max[axis]];
    const fitsSingle = Number.isFinite(Math.fround(min)) && Number.isFinite(Math.fround(max));
    const found = `the domain's ${'xyz'[axis]} range is [${min}, ${max}]`;
    if (!fitsSingle || !(Math.fround(max - min) > 0)) {
      issues.error('shape', `${found}, expected min < max`, place);
      continue;
    }
    const step = Math.max(Math.abs(min), Math.abs(max)) * 2 ** -52;
    if (max - min >= FIELD_LIMITS.domainSteps * step) continue;
    const least = FIELD_LIMITS.domainSteps * step;
    issues.error(
      'shape',
      `${found}, too short for where it lies: expected at least ${least.toPrecision(3)}`,
      place,
    );
  }
}

/** A region needs a volume, and a part of the domain in it. */
function checkRegion(region: Box3, domain: Box3, place: NsdfPlace, issues: IssueList): void {
  for (let axis = 0; axis < 3; axis++) {
    const [min, max] = [region.min[axis], region.max[axis]];
    if (min < max && min < domain.max[axis] && max > domain.min[axis]) continue;
    const found = `[${region.min[axis]}, ${region.max[axis]}]`;
    const expected = `min < max and a part of the domain's [${domain.min[axis]}, ${domain.max[axis]}]`;
    issues.error('shape', `the region's ${'xyz'[axis]} range is ${found}, expected ${expected}`, place);
  }
}

function checkLod(resolutions: readonly number[], place: NsdfPlace, issues: IssueList): void {
  const max = FIELD_LIMITS.lodResolution;
  const wrong = resolutions.find((n) => !isCount(n, max));
  if (wrong !== undefined) {
    issues.error('property-range', `found ${wrong}, expected integers in 1..${max}`, place);
  } else if (resolutions.some((n, i) => i > 0 && n <= resolutions[i - 1])) {
    issues.error('shape', 'the resolutions do not increase, expected coarse to fine', place);
  }
}

function checkGrid(grid: GridParts, places: NetworkPlaces, issues: IssueList): void {
  const { levels, nFeaturesPerLevel, log2HashmapSize } = grid;
  const expectCount = (name: string, n: number, max: number): void => {
    if (isCount(n, max)) return;
    issues.error('property-range', `${name} is ${n}, expected an integer in 1..${max}`, places.encoding);
  };
  if (levels.length === 0) {
    const message = 'the level set is empty, expected at least one grid level';
    issues.error('property-range', message, places.encoding);
  } else expectCount('the number of levels', levels.length, FIELD_LIMITS.nLevels);
  expectCount('nFeaturesPerLevel', nFeaturesPerLevel, FIELD_LIMITS.nFeaturesPerLevel);
  if (log2HashmapSize !== null) {
    expectCount('log2HashmapSize', log2HashmapSize, FIELD_LIMITS.log2HashmapSize);
  }
  levels.forEach((level, index) => {
    if (level === null) return;
    checkLevel(level, nFeaturesPerLevel, places.level(index), issues);
    if (level.resolution < (levels[index - 1]?.resolution ?? 0)) {
      const message = `level ${index} is coarser than the level before it; levels should go from coarse to fine`;
      issues.note('warning', 'shape', message, places.level(index));
    }
  });
}

function checkLevel(level: GridLevel, nFeatures: number, place: NsdfPlace, issues: IssueList): void {
  const { resolution, scale, offset, nEntries, isDense, params } = level;
  const expect = (isRight: boolean, code: 'property-range' | 'shape' | 'length', message: string): void => {
    if (!isRight) issues.error(code, message, place);
  };
  const expectCount = (name: string, n: number, max: number): void => {
    expect(isCount(n, max), 'property-range', `${name} is ${n}, expected an integer in 1..${max}`);
  };
  expectCount('resolution', resolution, FIELD_LIMITS.resolution);
  expectCount('nEntries', nEntries, FIELD_LIMITS.nEntries);
  expect(scale > 0, 'property-range', `scale is ${scale}, expected a positive number`);
  expect(offset >= 0 && offset <= 1, 'property-range', `offset is ${offset}, expected a number in [0, 1]`);
  // resolution = ceil(scale) + 1, give or take one for scales an ulp beside an integer.
  const isScaleRight = !(scale > 0) || scale <= resolution;
  expect(isScaleRight, 'shape', `scale is ${scale}, expected at most the resolution, ${resolution}`);
  const needed = resolution ** 3;
  const isDenseRight = !isDense || needed <= nEntries;
  expect(
    isDenseRight,
    'shape',
    `dense with resolution ${resolution} needs ${needed} entries, found ${nEntries}`,
  );
  const nValues = nEntries * nFeatures;
  const counts = `${nEntries} entries * ${nFeatures} features = ${nValues}`;
  expect(params.length === nValues, 'length', `the table has ${params.length} values, expected ${counts}`);
}

function checkLayers(layers: readonly (MlpLayer | null)[], places: NetworkPlaces, issues: IssueList): void {
  if (!isCount(layers.length, FIELD_LIMITS.nLayers)) {
    const message = `${layers.length} layers, expected 1 to ${FIELD_LIMITS.nLayers}`;
    issues.error('property-range', message, places.mlp);
  }
  layers.forEach((layer, index) => {
    if (layer === null) return;
    checkLayer(layer, index, places.layer(index), issues);
    const given = layers[index - 1]?.nOut ?? layer.nIn;
    if (layer.nIn === given) return;
    const message = `layer ${index} reads ${layer.nIn} values but layer ${index - 1} gives ${given}`;
    issues.error('shape', message, places.layer(index));
  });
}

/** Layers may share their bytes, so that a small file could name networks of any size; the first is the field's own. */
function checkSize(networks: readonly (NetworkParts | null)[], place: NsdfPlace, issues: IssueList): void {
  const all = networks.flatMap((network) => network?.layers ?? []);
  const nWeights = all.reduce((sum, layer) => sum + (layer ? layer.nIn * layer.nOut : 0), 0);
  const hidden = (networks[0]?.layers ?? []).slice(0, -1);
  const nNeurons = hidden.reduce((sum, layer) => sum + (layer?.nOut ?? 0), 0);
  const refuse = (found: number, what: string, most: number): void => {
    if (found <= most) return;
    const message = `the network has ${found} ${what}, at most ${most} can be derived`;
    issues.unsupported('network size', message, place);
  };
  refuse(nWeights, 'weights', BUDGETS.nWeights);
  refuse(nNeurons, 'hidden neurons', BUDGETS.nNeurons);
}

function checkLayer(
  { nIn, nOut, weights, bias }: MlpLayer,
  index: number,
  place: NsdfPlace,
  issues: IssueList,
): void {
  const max = FIELD_LIMITS.layerWidth;
  if (!isCount(nIn, max) || !isCount(nOut, max)) {
    issues.error(
      'property-range',
      `layer ${index} is ${nIn} -> ${nOut}, expected widths in 1..${max}`,
      place,
    );
  }
  const expectLength = (what: string, found: number, expected: number): void => {
    if (found !== expected)
      issues.error('length', `layer ${index} has ${found} ${what}, expected ${expected}`, place);
  };
  expectLength('weights', weights.length, nOut * nIn);
  if (bias !== null) expectLength('biases', bias.length, nOut);
}

/** What the first layer reads: all features, or the three coordinates. */
function checkInput(
  nIn: number,
  encoding: IdentityEncoding | GridParts,
  place: NsdfPlace,
  issues: IssueList,
): void {
  if (encoding.kind === 'none') {
    if (nIn === 3) return;
    const what = nIn === 2 ? 'a 2-D network' : `a network that reads ${nIn} values`;
    const message = `${what} without encoder, expected 3 inputs: only fields over x, y, z can be meshed`;
    issues.unsupported(`${nIn}-D field`, message, place);
    return;
  }
  const { levels, nFeaturesPerLevel } = encoding;
  const width = levels.length * nFeaturesPerLevel;
  if (nIn === width) return;
  const gives = `${levels.length} levels * ${nFeaturesPerLevel} features = ${width}`;
  issues.error('shape', `layer 0 reads ${nIn} values but the encoding gives ${gives}`, place);
}

function checkOutput({ plus, minus }: OutputRule, nOut: number, place: NsdfPlace, issues: IssueList): void {
  const isRow = (row: number): boolean => Number.isInteger(row) && row >= 0 && row < nOut;
  if (!isRow(plus) || (minus !== null && !isRow(minus))) {
    const found = minus === null ? `row ${plus}` : `rows ${plus} and ${minus}`;
    issues.error('shape', `${found} of the last layer, which has only rows 0..${nOut - 1}`, place);
  } else if (plus === minus) {
    issues.error('shape', `row ${plus} is subtracted from itself: f would be 0 everywhere`, place);
  }
}

function checkWeights(
  encoding: IdentityEncoding | GridParts | null,
  layers: readonly (MlpLayer | null)[],
  places: NetworkPlaces,
  issues: IssueList,
): void {
  if (encoding?.kind === 'hash-grid') {
    encoding.levels.forEach((level, index) => {
      if (level === null) return;
      checkValues(level.params, `the table of level ${index}`, (i) => places.levelParams(index, i), issues);
    });
  }
  layers.forEach((layer, index) => {
    if (layer === null) return;
    const { weights, bias } = layer;
    checkValues(weights, `the weight matrix of layer ${index}`, (i) => places.weights(index, i), issues);
    if (bias !== null) checkValues(bias, `the bias of layer ${index}`, (i) => places.bias(index, i), issues);
  });
}

/** Reports the first value that is not finite or absurdly large, and how many there are. */
function checkValues(
  values: Float32Array,
  what: string,
  placeOf: (element: number) => NsdfPlace,
  issues: IssueList,
): void {
  // Fields may share arrays; each is looked at once.
  if (issues.isSeen(values)) return;
  const limit = FIELD_LIMITS.weightMagnitude;
  let first = -1;
  let nBad = 0;
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]) <= limit) continue;
    if (nBad++ === 0) first = i;
  }
  if (nBad === 0) return;
  const found = `${what} holds ${values[first]} at ${first}${nBad > 1 ? ` and ${nBad - 1} more such values` : ''}`;
  issues.error('weights', `${found}, expected finite numbers below ${limit}`, placeOf(first));
}
