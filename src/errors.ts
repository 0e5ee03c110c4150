/** Machine-readable reason of an {@link NsdfError}. */
export type NsdfErrorCode = 'format' | 'unsupported' | 'gpu' | 'budget' | 'argument' | 'load';

/** Base of every error this package throws on purpose. Aborts reject with `signal.reason` instead. */
export class NsdfError extends Error {
  override readonly name: string = 'NsdfError';
  readonly code: NsdfErrorCode;

  constructor(code: NsdfErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The bytes are not a well-formed asset: says where (`byteOffset` in the file and/or `field`, a JSON path). */
export class NsdfFormatError extends NsdfError {
  override readonly name = 'NsdfFormatError';
  readonly byteOffset: number | undefined;
  readonly field: string | undefined;

  constructor(
    message: string,
    place: { byteOffset?: number | undefined; field?: string | undefined; cause?: unknown } = {},
  ) {
    super('format', message, place.cause === undefined ? undefined : { cause: place.cause });
    this.byteOffset = place.byteOffset;
    this.field = place.field;
  }
}

/** The asset is well-formed but asks for something this package cannot do (`feature` names it). */
export class NsdfUnsupportedError extends NsdfError {
  override readonly name = 'NsdfUnsupportedError';
  readonly feature: string;

  constructor(feature: string, message: string, options?: ErrorOptions) {
    super('unsupported', message, options);
    this.feature = feature;
  }
}

/** An argument or option is out of range: says what was found, what was expected. */
export class NsdfArgumentError extends NsdfError {
  override readonly name = 'NsdfArgumentError';
  readonly argument: string;

  constructor(argument: string, message: string, options?: ErrorOptions) {
    super('argument', message, options);
    this.argument = argument;
  }
}

/** A GPU stage failed; `limit` names the device limit that was exceeded, if one was. */
export class NsdfGpuError extends NsdfError {
  override readonly name = 'NsdfGpuError';
  readonly stage: string;
  readonly limit: string | undefined;

  constructor(stage: string, message: string, options: { limit?: string; cause?: unknown } = {}) {
    super('gpu', message, options.cause === undefined ? undefined : { cause: options.cause });
    this.stage = stage;
    this.limit = options.limit;
  }
}

/** A size (bytes, vertices, boxes) exceeds what the caller allowed. */
export class NsdfBudgetError extends NsdfError {
  override readonly name = 'NsdfBudgetError';
  readonly needed: number;
  readonly available: number;

  constructor(message: string, needed: number, available: number) {
    super('budget', message);
    this.needed = needed;
    this.available = available;
  }
}

/** A download or a worker failed. */
export class NsdfLoadError extends NsdfError {
  override readonly name = 'NsdfLoadError';

  constructor(message: string, options?: ErrorOptions) {
    super('load', message, options);
  }
}
