// How failures of handlers cross the wire (docs/protocol.md §6.6): data of an ERROR frame.
import { inspect } from 'node:util';

import { RpcException } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import { brand, hasMethod, isError } from '@sealwire/channel/internal';
import { CryptoError } from '@sealwire/crypto';

/** Nest's own words for what is not the caller's business. */
const INTERNAL_ERROR = 'Internal server error';

/** What the caller is given when it may know nothing of a failure; then the log has to. */
export const HIDDEN = { status: 'error', message: INTERNAL_ERROR } as const;

/**
 * What a handler failed with, as data. Nest's filters throw what the caller may know. The message of any other `Error` can
 * hold anything, so it is {@link HIDDEN}. A failure that another server has answered with may be passed on.
 *
 * @param isFiltered - Nest's filters have seen it: then the fields of an `Error` are meant for the caller, too.
 */
export function errorData(error: unknown, isFiltered: boolean): unknown {
  if (error instanceof RpcException) return rpcErrorData(error.getError());
  if (error instanceof RemoteError) return fieldsOf(error);
  if (isError(error)) return isFiltered ? errorFields(error) : HIDDEN;
  return error ?? { ...HIDDEN };
}

/** As Nest's own filter does it, which does not see what a generator throws, nor a handler that was added without Nest. */
function rpcErrorData(error: string | object): unknown {
  return typeof error === 'string' ? { status: 'error', message: error } : errorData(error, true);
}

/** What JSON makes of an error: all that Nest says of an `HttpException`. Of most errors that is nothing. */
function errorFields(error: Error): unknown {
  if (error instanceof TransportError || error instanceof CryptoError) return HIDDEN;
  if (hasMethod(error, 'toJSON')) return error;
  return Object.keys(error).length > 0 ? fieldsOf(error) : HIDDEN;
}

function fieldsOf(error: object): object {
  return Object.fromEntries(Object.entries(error));
}

/** Nest's filter logs what it does not know with its stack, and answers with these words. */
export function isUnforeseen(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'message' in error && error.message === INTERNAL_ERROR;
}

/** One line for the log: what a filter has made of an exception is an object without a stack. */
export function describeFailure(error: unknown): unknown {
  if (isError(error) || typeof error !== 'object' || error === null) return error;
  if ('message' in error && typeof error.message === 'string') return error.message;
  return JSON.stringify(error);
}

/**
 * A handler's failure as its caller sees it: the fields that the server's filter gave it, and the stack of this process.
 * The fields alone are enumerable: `JSON.stringify(error)` and `{ ...error }` give what Nest gives.
 *
 * It is an error to Node, `util.types.isNativeError` and every log, but `instanceof Error` is false, as it is for the plain
 * object that Nest's clients reject with: Nest's filters, Fastify and GraphQL treat an `Error` as a defect of the gateway,
 * and would answer 500 to `{ statusCode: 404 }`.
 */
export class RemoteError extends Error {
  static {
    brand(this, 'RemoteError');
    Object.setPrototypeOf(this.prototype, Object.prototype);
    define(this.prototype, 'name', 'RemoteError', false);
  }

  /** @param message - Of a failure that has no fields. */
  constructor(fields: object, message?: string) {
    super('message' in fields && typeof fields.message === 'string' ? fields.message : message);
    if ('message' in fields) Reflect.deleteProperty(this, 'message'); // to give it the place that it has among the fields
    // One by one, as a peer may send many: a copy of them all takes longer than to parse them.
    for (const field of Object.keys(fields))
      if (field !== 'stack') define(this, field, Reflect.get(fields, field), true);
  }

  override toString(): string {
    return Error.prototype.toString.call(this);
  }
}

/** Assigning would leave `message` as hidden as it is in every error. */
function define(error: object, field: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, field, { value, enumerable, configurable: true, writable: true });
}

/**
 * Turns the data of an ERROR into what `send()` fails with. Strings and arrays stay what they are, as in Nest; what is falsy
 * its client would take for no error.
 */
export function toCallerError(data: unknown): unknown {
  if (!data) return new RemoteError({}, `The handler failed with ${inspect(data)}`);
  if (typeof data !== 'object' || Array.isArray(data) || ArrayBuffer.isView(data)) return data;
  return new RemoteError(data);
}
