import {
  NsdfArgumentError,
  NsdfBudgetError,
  NsdfError,
  type NsdfErrorCode,
  NsdfFormatError,
  NsdfGpuError,
  NsdfLoadError,
  NsdfUnsupportedError,
} from '../errors.ts';

/** An error as plain data: structured clone keeps neither our classes nor their fields. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: NsdfErrorCode | undefined;
  /** The own fields of our classes, such as `byteOffset`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: WireError | undefined;
}

const FIELDS = ['byteOffset', 'field', 'feature', 'argument', 'stage', 'limit', 'needed', 'available'];
const BUILT_IN: Readonly<Record<string, new (message: string, options?: ErrorOptions) => Error>> = {
  RangeError,
  TypeError,
  SyntaxError,
  ReferenceError,
};

/** Turns anything that was thrown into plain data. */
export function toWire(thrown: unknown): WireError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const own = error as unknown as Record<string, unknown>;
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: error instanceof NsdfError ? error.code : undefined,
    fields:
      error instanceof NsdfError
        ? Object.fromEntries(FIELDS.filter((name) => name in error).map((name) => [name, own[name]]))
        : {},
    cause: error.cause === undefined ? undefined : toWire(error.cause),
  };
}

/** Rebuilds an error in the class that was thrown, with its fields, its cause and the other thread's stack. */
export function fromWire(wire: WireError): Error {
  const error = rebuild(wire, wire.cause && fromWire(wire.cause));
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}

function rebuild({ name, message, code, fields }: WireError, cause: Error | undefined): Error {
  const options = cause === undefined ? undefined : { cause };
  switch (code) {
    case 'format':
      return new NsdfFormatError(message, { ...fields, ...options });
    case 'unsupported':
      return new NsdfUnsupportedError(String(fields.feature), message, options);
    case 'argument':
      return new NsdfArgumentError(String(fields.argument), message, options);
    case 'gpu':
      return new NsdfGpuError(String(fields.stage), message, {
        ...(fields.limit === undefined ? {} : { limit: String(fields.limit) }),
        ...options,
      });
    case 'budget':
      return new NsdfBudgetError(message, Number(fields.needed), Number(fields.available));
    case 'load':
      return new NsdfLoadError(message, options);
    case undefined: {
      const error = new (BUILT_IN[name] ?? Error)(message, options);
      if (error.name !== name) error.name = name;
      return error;
    }
  }
}
