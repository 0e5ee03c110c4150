import { BUDGETS } from '../budgets.ts';
import type { Box3, MlpLayer, OutputRule } from './asset.ts';
import { ATTRIBUTE_NAMES, attributeWidths } from './attribute-names.ts';
import { checkEncoding, checkEncodingTables, type EncodingParts, nInputsOf } from './encodings.ts';
import { FIELD_LIMITS, isCount } from './extension.ts';
import { checkValues, type IssueList, type NetworkPlaces, type NsdfPlace } from './issues.ts';
import { describe } from './json-object.ts';

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

/** A network as far as it could be read: what is null or absent is not checked. */
export interface NetworkParts {
  readonly encoding?: EncodingParts | null;
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
  if (encoding) checkEncoding(encoding, places, issues);
  if (layers) checkLayers(layers, places, issues);
  const first = layers?.at(0);
  if (first && encoding) checkInput(first.nIn, encoding, places.layer(0), issues);
  if (encoding) checkEncodingTables(encoding, places, issues);
  checkWeights(layers ?? [], places, issues);
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
    if (widths === null) {
      const message = `${describe(name)} names no attribute that a field can give, expected ${ATTRIBUTE_NAMES}`;
      issues.error('property-range', message, places.attributes);
      continue;
    }
    const parts = attributes[name];
    if (parts === null) continue;
    const place = places.attribute(name);
    checkNetwork(parts, place, issues);
    const nOut = parts.layers?.at(-1)?.nOut;
    if (nOut === undefined || widths.includes(nOut)) continue;
    const message = `${name} has ${nOut} outputs, expected ${widths.join(' or ')}`;
    issues.error('shape', message, place.layer((parts.layers as readonly unknown[]).length - 1));
  }
}

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
function checkInput(nIn: number, encoding: EncodingParts, place: NsdfPlace, issues: IssueList): void {
  const nInputs = nInputsOf(encoding);
  if (nIn === nInputs) return;
  if (encoding.kind === 'none') {
    const what = nIn === 2 ? 'a 2-D network' : `a network that reads ${nIn} values`;
    const message = `${what} without encoder, expected 3 inputs: only fields over x, y, z can be meshed`;
    issues.unsupported(`${nIn}-D field`, message, place);
    return;
  }
  const { levels, nFeaturesPerLevel } = encoding;
  const gives = `${levels.length} levels * ${nFeaturesPerLevel} features = ${nInputs}`;
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

function checkWeights(layers: readonly (MlpLayer | null)[], places: NetworkPlaces, issues: IssueList): void {
  layers.forEach((layer, index) => {
    if (layer === null) return;
    const { weights, bias } = layer;
    checkValues(weights, `the weight matrix of layer ${index}`, (i) => places.weights(index, i), issues);
    if (bias !== null) checkValues(bias, `the bias of layer ${index}`, (i) => places.bias(index, i), issues);
  });
}
