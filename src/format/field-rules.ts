import type { Box3, FieldAsset, GridLevel, HashGridEncoding, MlpLayer, OutputRule } from './asset.ts';
import type { IssueList, NsdfPlace } from './issues.ts';

/** Limits that keep every later count within exact integers and sane memory. */
export const FIELD_LIMITS = {
  nLevels: 64,
  nFeaturesPerLevel: 64,
  log2HashmapSize: 32,
  resolution: 2 ** 20,
  nLayers: 256,
  layerWidth: 65536,
  lodResolution: 65536,
  /** Beyond this, products of two activations leave float32; a flipped exponent bit lands here. */
  weightMagnitude: 1e18,
} as const;

/** Where the parts of a field come from, for messages: JSON pointers, tensor names, bytes. */
export interface FieldPlaces {
  readonly domain: NsdfPlace;
  readonly output: NsdfPlace;
  readonly valueScale: NsdfPlace;
  readonly lodResolutions: NsdfPlace;
  readonly encoding: NsdfPlace;
  readonly mlp: NsdfPlace;
  level(index: number): NsdfPlace;
  /** `element` counts values of the level's table. */
  levelParams(index: number, element: number): NsdfPlace;
  layer(index: number): NsdfPlace;
  weights(index: number, element: number): NsdfPlace;
  bias(index: number, element: number): NsdfPlace;
}

/** Places of a field that never was in a file: property paths. */
export const MEMORY_PLACES: FieldPlaces = {
  domain: { path: 'domain' },
  output: { path: 'output' },
  valueScale: { path: 'valueScale' },
  lodResolutions: { path: 'lodResolutions' },
  encoding: { path: 'encoding' },
  mlp: { path: 'layers' },
  level: (index) => ({ path: `encoding.levels[${index}]` }),
  levelParams: (index, element) => ({ path: `encoding.levels[${index}].params[${element}]` }),
  layer: (index) => ({ path: `layers[${index}]` }),
  weights: (index, element) => ({ path: `layers[${index}].weights[${element}]` }),
  bias: (index, element) => ({ path: `layers[${index}].bias[${element}]` }),
};

/**
 * Every rule that a field has to obey, whatever it came from: the reader, the validator, the writer and the importers
 * all ask here.
 */
export function checkField(asset: FieldAsset, places: FieldPlaces, issues: IssueList): void {
  checkDomain(asset.domain, places.domain, issues);
  if (!(asset.valueScale > 0 && Number.isFinite(asset.valueScale))) {
    issues.error(
      'property-range',
      `valueScale is ${asset.valueScale}, expected a positive number`,
      places.valueScale,
    );
  }
  if (asset.lodResolutions !== undefined) checkLod(asset.lodResolutions, places.lodResolutions, issues);
  if (asset.encoding.kind === 'hash-grid') checkGrid(asset.encoding, places, issues);
  checkShapes(asset, places, issues);
  checkOutput(asset.output, asset.layers, places.output, issues);
  checkWeights(asset, places, issues);
}

const isCount = (n: number, max: number): boolean => Number.isInteger(n) && n >= 1 && n <= max;

/** The box needs a positive extent on every axis, also once rounded to float32. */
export function checkDomain(domain: Box3, place: NsdfPlace, issues: IssueList): void {
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
    const [min, max] = [Math.fround(domain.min[axis]), Math.fround(domain.max[axis])];
    if (Number.isFinite(min) && Number.isFinite(max) && max - min > 0) continue;
    const found = `[${domain.min[axis]}, ${domain.max[axis]}]`;
    issues.error(
      'property-range',
      `the domain's ${'xyz'[axis]} range is ${found}, expected min < max`,
      place,
    );
  }
}

function checkLod(resolutions: readonly number[], place: NsdfPlace, issues: IssueList): void {
  const isRight = resolutions.every(
    (n, i) => isCount(n, FIELD_LIMITS.lodResolution) && (i === 0 || n > resolutions[i - 1]),
  );
  if (isRight) return;
  const expected = `increasing integers in 1..${FIELD_LIMITS.lodResolution}`;
  issues.error(
    'property-range',
    `lodResolutions is [${resolutions.slice(0, 16)}], expected ${expected}`,
    place,
  );
}

function checkGrid(grid: HashGridEncoding, places: FieldPlaces, issues: IssueList): void {
  const { levels, nFeaturesPerLevel, log2HashmapSize } = grid;
  if (levels.length === 0) {
    issues.error('shape', 'the level set is empty, expected at least one grid level', places.encoding);
  }
  if (levels.length > FIELD_LIMITS.nLevels) {
    issues.error(
      'shape',
      `${levels.length} levels, expected at most ${FIELD_LIMITS.nLevels}`,
      places.encoding,
    );
  }
  if (!isCount(nFeaturesPerLevel, FIELD_LIMITS.nFeaturesPerLevel)) {
    const expected = `an integer in 1..${FIELD_LIMITS.nFeaturesPerLevel}`;
    issues.error(
      'property-range',
      `nFeaturesPerLevel is ${nFeaturesPerLevel}, expected ${expected}`,
      places.encoding,
    );
  }
  if (!isCount(log2HashmapSize, FIELD_LIMITS.log2HashmapSize)) {
    const expected = `an integer in 1..${FIELD_LIMITS.log2HashmapSize}`;
    issues.error(
      'property-range',
      `log2HashmapSize is ${log2HashmapSize}, expected ${expected}`,
      places.encoding,
    );
  }
  levels.forEach((level, index) => {
    checkLevel(level, nFeaturesPerLevel, places.level(index), issues);
    if (index > 0 && level.resolution < levels[index - 1].resolution) {
      const message = `level ${index} is coarser than the level before it; levels should go from coarse to fine`;
      issues.note('warning', 'property-range', message, places.level(index));
    }
  });
}

function checkLevel(level: GridLevel, nFeatures: number, place: NsdfPlace, issues: IssueList): void {
  const { resolution, scale, offset, nEntries, isDense, params } = level;
  const expect = (isRight: boolean, message: string): void => {
    if (!isRight) issues.error('property-range', message, place);
  };
  expect(
    isCount(resolution, FIELD_LIMITS.resolution),
    `resolution is ${resolution}, expected an integer in 1..${FIELD_LIMITS.resolution}`,
  );
  // resolution = ceil(scale) + 1, give or take one for scales an ulp above an integer.
  expect(
    scale > 0 && scale <= resolution,
    `scale is ${scale}, expected more than 0 and at most the resolution, ${resolution}`,
  );
  expect(offset >= 0 && offset <= 1, `offset is ${offset}, expected a number in [0, 1]`);
  expect(isCount(nEntries, 2 ** 32), `nEntries is ${nEntries}, expected an integer in 1..2^32`);
  expect(
    !isDense || resolution ** 3 <= nEntries,
    `a dense level of resolution ${resolution} needs ${resolution ** 3} entries, found ${nEntries}`,
  );
  if (params.length !== nEntries * nFeatures) {
    const expected = `${nEntries} entries * ${nFeatures} features = ${nEntries * nFeatures}`;
    issues.error('length', `the level's table has ${params.length} values, expected ${expected}`, place);
  }
}

function checkShapes(asset: FieldAsset, places: FieldPlaces, issues: IssueList): void {
  const { layers, encoding } = asset;
  if (layers.length === 0) issues.error('shape', 'the MLP has no layers, expected at least one', places.mlp);
  if (layers.length > FIELD_LIMITS.nLayers) {
    issues.error('shape', `${layers.length} layers, expected at most ${FIELD_LIMITS.nLayers}`, places.mlp);
  }
  layers.forEach((layer, index) => {
    const previous = index === 0 ? null : layers[index - 1].nOut;
    const place = places.layer(index);
    if (previous !== null && layer.nIn !== previous) {
      const message = `layer ${index} reads ${layer.nIn} values but layer ${index - 1} gives ${previous}`;
      issues.error('shape', message, place);
    }
    checkLayerLengths(layer, index, place, issues);
  });
  if (layers.length === 0) return;
  const found = layers[0].nIn;
  if (encoding.kind === 'none') checkInputDimension(found, places.layer(0), issues);
  else checkEncodingWidth(found, encoding, places.layer(0), issues);
}

function checkLayerLengths(
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
  if (weights.length !== nIn * nOut) {
    const expected = `${nOut} * ${nIn} = ${nOut * nIn}`;
    issues.error('length', `layer ${index} has ${weights.length} weights, expected ${expected}`, place);
  }
  if (bias !== null && bias.length !== nOut) {
    issues.error('length', `layer ${index} has ${bias.length} biases, expected ${nOut}`, place);
  }
}

/** Without an encoder the network reads the coordinates, which have to be three. */
export function checkInputDimension(nIn: number, place: NsdfPlace, issues: IssueList): void {
  if (nIn === 3) return;
  const what = nIn === 2 ? 'a 2-D network' : `a network of ${nIn} inputs`;
  const message = `${what} without encoder; expected 3 inputs (x, y, z): only fields over three coordinates can be meshed`;
  issues.unsupported(`${nIn}-D field`, message, place);
}

function checkEncodingWidth(nIn: number, grid: HashGridEncoding, place: NsdfPlace, issues: IssueList): void {
  const width = grid.levels.length * grid.nFeaturesPerLevel;
  if (nIn === width) return;
  const gives = `${grid.levels.length} levels * ${grid.nFeaturesPerLevel} features = ${width}`;
  issues.error('shape', `layer 0 reads ${nIn} values but the encoding gives ${gives}`, place);
}

function checkOutput(
  output: OutputRule,
  layers: readonly MlpLayer[],
  place: NsdfPlace,
  issues: IssueList,
): void {
  const nOut = layers.length === 0 ? 0 : layers[layers.length - 1].nOut;
  const isRow = (row: number): boolean => Number.isInteger(row) && row >= 0 && row < nOut;
  if (!isRow(output.plus) || (output.minus !== null && !isRow(output.minus))) {
    const found = `plus ${output.plus}, minus ${output.minus}`;
    issues.error('shape', `the output rule (${found}) names rows outside 0..${nOut - 1}`, place);
  } else if (output.plus === output.minus) {
    issues.error('shape', `the output rule subtracts row ${output.plus} from itself: f would be 0`, place);
  }
}

function checkWeights(asset: FieldAsset, places: FieldPlaces, issues: IssueList): void {
  if (asset.encoding.kind === 'hash-grid') {
    asset.encoding.levels.forEach(({ params }, index) => {
      checkValues(params, `level ${index}'s table`, (element) => places.levelParams(index, element), issues);
    });
  }
  asset.layers.forEach(({ weights, bias }, index) => {
    checkValues(weights, `layer ${index}'s weights`, (element) => places.weights(index, element), issues);
    if (bias !== null) {
      checkValues(bias, `layer ${index}'s bias`, (element) => places.bias(index, element), issues);
    }
  });
}

/** Reports the first value that is not finite or absurdly large, and how many there are. */
function checkValues(
  values: Float32Array,
  what: string,
  placeOf: (element: number) => NsdfPlace,
  issues: IssueList,
): void {
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
