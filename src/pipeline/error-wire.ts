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
import { describe } from '../format/json-object.ts';

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

/** Longer chains of causes are cut: they may be circles. */
const MAX_CAUSES = 8;

/** Turns anything that was thrown into plain data. */
export function toWire(thrown: unknown, nCauses = 0): WireError {
  const error = thrown instanceof Error ? thrown : new Error(describeField(thrown));
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
    cause: error.cause === undefined || nCauses === MAX_CAUSES ? undefined : toWire(error.cause, nCauses + 1),
  };
}

/**
 * Rebuilds an error in the class that was thrown, with its fields, its cause and the other thread's stack. What is no
 * error of ours, a worker of the application's own may say anything, comes as an `NsdfLoadError`.
 */
export function fromWire(wire: unknown, nCauses = 0): Error {
  if (!isWireError(wire)) return new NsdfLoadError(`The worker failed and said ${describe(wire)}.`);
  const { cause, stack } = wire;
  const hasCause = cause !== undefined && nCauses < MAX_CAUSES;
  const error = rebuild(wire, hasCause ? fromWire(cause, nCauses + 1) : undefined);
  if (typeof stack === 'string') error.stack = stack;
  return error;
}

function isWireError(wire: unknown): wire is WireError {
  const { name, message, code, fields } = (wire ?? {}) as Partial<Record<keyof WireError, unknown>>;
  const isNamed = typeof name === 'string' && typeof message === 'string';
  return isNamed && (code === undefined || (typeof fields === 'object' && fields !== null));
}

function rebuild({ name, message, code, fields }: WireError, cause: Error | undefined): Error {
  const options = cause === undefined ? undefined : { cause };
  switch (code) {
    case 'format':
      return new NsdfFormatError(message, { ...fields, ...options });
    case 'unsupported':
      return new NsdfUnsupportedError(describeField(fields.feature), message, options);
    case 'argument':
      return new NsdfArgumentError(describeField(fields.argument), message, options);
    case 'gpu':
      return new NsdfGpuError(describeField(fields.stage), message, {
        ...(fields.limit === undefined ? {} : { limit: describeField(fields.limit) }),
        ...options,
      });
    case 'budget':
      return new NsdfBudgetError(message, toNumber(fields.needed), toNumber(fields.available));
    case 'load':
      return new NsdfLoadError(message, options);
    default: {
      const BuiltIn = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : Error;
      const error = new BuiltIn(message, options);
      if (error.name !== name) error.name = name;
      return error;
    }
  }
}

function toNumber(field: unknown): number {
  return typeof field === 'number' ? field : Number.NaN;
}

function describeField(field: unknown): string {
  return typeof field === 'string' ? field : describe(field);
}
