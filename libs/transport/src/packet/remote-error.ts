// The failures of handlers on the wire (docs/protocol.md §6.6), which are the data of an ERROR frame.
import { inspect } from 'node:util';

import { RpcException } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import { hasMethod, isError } from '@sealwire/channel/internal';
import { brand } from '@sealwire/crypto/internal';
import { CryptoError } from '@sealwire/crypto';

/** Nest's text for failures that are hidden from the caller. */
const INTERNAL_ERROR = 'Internal server error';

/** The data that replaces a failure that is hidden from the caller. Such a failure must be logged. */
export const HIDDEN = { status: 'error', message: INTERNAL_ERROR } as const;

/**
 * Returns the data of a handler's failure. A failure that Nest's filters throw is meant for the caller. Any other
 * `Error` may contain secrets, so it is replaced with {@link HIDDEN}, and so is a value that throws when it is read. A
 * `RemoteError` of another server is passed on. Never throws.
 *
 * @param isFiltered - Whether Nest's filters have seen it, so that the fields of an `Error` are meant for the caller.
 */
export function errorData(error: unknown, isFiltered: boolean): unknown {
  try {
    return readError(error, isFiltered);
  } catch {
    return HIDDEN; // a getter, the trap of a proxy, or a `getError` that returns its own exception without end
  }
}

function readError(error: unknown, isFiltered: boolean): unknown {
  if (error instanceof RpcException) {
    const data = error.getError(); // as Nest's filter, which generators and handlers without Nest do not have
    return typeof data === 'string' ? { status: 'error', message: data } : readError(data, true);
  }
  if (error instanceof RemoteError) return fieldsOf(error);
  if (isError(error)) return isFiltered ? errorFields(error) : HIDDEN;
  return error ?? { ...HIDDEN };
}

/** Returns the enumerable fields of an error, as JSON would. An `HttpException` has some, most errors have none. */
function errorFields(error: Error): unknown {
  if (error instanceof TransportError || error instanceof CryptoError) return HIDDEN;
  if (hasMethod(error, 'toJSON')) return error;
  return Object.keys(error).length > 0 ? fieldsOf(error) : HIDDEN;
}

function fieldsOf(error: object): object {
  return Object.fromEntries(Object.entries(error));
}

/** Returns whether Nest's filter has replaced an unknown exception, which it also logs with the stack. Never throws. */
export function isUnforeseen(error: unknown): boolean {
  try {
    return typeof error === 'object' && error !== null && 'message' in error && error.message === INTERNAL_ERROR;
  } catch {
    return false;
  }
}

/**
 * Describes a failure in one line for the log. A filter may have replaced the exception with an object without a stack.
 */
export function describeFailure(error: unknown): unknown {
  if (isError(error) || typeof error !== 'object' || error === null) return error;
  if ('message' in error && typeof error.message === 'string') return error.message;
  return JSON.stringify(error);
}

/**
 * The failure of a handler as the caller receives it: the fields that the server's filter returned, and a stack of this
 * process. Only the fields are enumerable, so `JSON.stringify(error)` and `{ ...error }` give the same as with Nest's
 * clients.
 *
 * Node, `util.types.isNativeError` and loggers treat it as an error, but `instanceof Error` is false, as for the plain
 * object that Nest's clients reject with. Nest's filters, Fastify and GraphQL treat an `Error` as a defect of the
 * gateway and would answer 500 to `{ statusCode: 404 }`.
 */
export class RemoteError extends Error {
  static {
    brand(this, 'transport/RemoteError');
    Object.setPrototypeOf(this.prototype, Object.prototype);
    define(this.prototype, 'name', 'RemoteError', false);
  }

  /** @param message - The message of a failure without fields. */
  constructor(fields: object, message?: string) {
    super('message' in fields && typeof fields.message === 'string' ? fields.message : message);
    if ('message' in fields) Reflect.deleteProperty(this, 'message'); // so that it keeps its position among the fields
    // One by one, because a peer may send many fields, and to copy all of them together would take longer than parsing
    // them.
    for (const field of Object.keys(fields))
      if (field !== 'stack') define(this, field, Reflect.get(fields, field), true);
  }

  override toString(): string {
    return Error.prototype.toString.call(this);
  }
}

/** Defines a field, because an assignment would leave `message` not enumerable. */
function define(error: object, field: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, field, { value, enumerable, configurable: true, writable: true });
}

/**
 * Converts the data of an ERROR to the error of `send()`. Strings and arrays stay unchanged, as in Nest. A falsy value
 * is wrapped, because Nest's client would ignore it.
 */
export function toCallerError(data: unknown): unknown {
  if (!data) return new RemoteError({}, `The handler failed with ${inspect(data)}`);
  if (typeof data !== 'object' || Array.isArray(data) || ArrayBuffer.isView(data)) return data;
  return new RemoteError(data);
}
