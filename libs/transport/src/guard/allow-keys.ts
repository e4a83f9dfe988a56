// Permissions by key for handlers: finer than the patterns of a key, because a guard sees the whole call.
import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RpcException } from '@nestjs/microservices';
import { TransportError } from '@sealwire/channel';
import { provesPeer } from '@sealwire/channel/internal';

import type { SealwirePeer } from '../handler/context.js';
import { KeyRefusal } from './key-refusal.js';

const ALLOWED_KEYS = 'sealwire:allowed-keys';
const KEY_ID = /^[0-9a-f]{16}$/;

/**
 * Restricts a handler, or all handlers of a controller, to the holders of certain keys. On a handler, the list replaces
 * that of the controller. A name of 16 lower-case hexadecimal digits is compared with the key id, any other name with the
 * label.
 *
 * Requests with other keys fail with `ERR_FORBIDDEN`. Events with other keys are acknowledged, logged and not handled. The
 * sealed transports of `@sealwire/brokers` authenticate a key as well. Calls over any other transport are refused:
 * HTTP, WebSocket, `Transport.TCP` and the legacy wire do not authenticate a key.
 *
 * @throws {TransportError} `ERR_BAD_OPTION` - no names, or a name that is empty or not a string.
 */
export function AllowKeys(...names: readonly string[]): ClassDecorator & MethodDecorator {
  if (names.length === 0 || names.some((name) => typeof name !== 'string' || name === ''))
    throw new TransportError(
      'ERR_BAD_OPTION',
      '@AllowKeys() expects one or more labels or key ids, as non-empty strings',
    );
  return applyDecorators(SetMetadata(ALLOWED_KEYS, names), UseGuards(SealwireKeysGuard));
}

/** The guard of {@link AllowKeys}. It allows every call of a handler that has no list of keys. */
export class SealwireKeysGuard implements CanActivate {
  readonly #reflector = new Reflector();

  /** @throws {RpcException} The key of the client is not allowed. */
  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const names = this.#reflector.getAllAndOverride<readonly string[] | undefined>(ALLOWED_KEYS, targets);
    if (names === undefined) return true;
    const message: unknown = context.getType() === 'rpc' ? context.switchToRpc().getContext() : undefined;
    if (!provesPeer(message)) return false;
    const peer = message.getPeer();
    if (names.some((name) => isNameOf(name, peer))) return true;
    throw new RpcException(new KeyRefusal(peer));
  }
}

function isNameOf(name: string, { keyId, label }: SealwirePeer): boolean {
  return name === (KEY_ID.test(name) ? keyId : label);
}
