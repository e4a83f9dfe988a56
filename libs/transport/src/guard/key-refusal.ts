import type { TransportError } from '@sealwire/channel';
import { failureOf, wireError } from '@sealwire/channel/internal';
import { brand } from '@sealwire/crypto/internal';

import { namesOf } from '../handler/context.js';
import type { SealwirePeer } from '../handler/context.js';

/**
 * The failure of a call that a guard refuses because of its key. The server sends it as `ERR_FORBIDDEN` of the transport. A
 * filter of the application sees the three fields of that error.
 */
export class KeyRefusal {
  static {
    brand(this, 'transport/KeyRefusal');
  }

  readonly status: string;
  readonly message: string;
  readonly code: string;
  readonly #peer: SealwirePeer;

  constructor(peer: SealwirePeer) {
    const { status, message, code } = wireError('ERR_FORBIDDEN');
    this.status = status;
    this.message = message;
    this.code = code;
    this.#peer = namesOf(peer);
  }

  /** The same refusal as the caller gets it. */
  get failure(): TransportError {
    return failureOf(wireError('ERR_FORBIDDEN'));
  }

  /** The client whose key is not allowed. Not a field, so that no filter sends it to the client. */
  get peer(): SealwirePeer {
    return this.#peer;
  }
}

/**
 * Returns whether an error is a refusal of a key. Never throws, although a handler may have thrown a proxy that throws
 * when it is read, or that claims every property.
 */
export function isKeyRefusal(error: unknown): error is KeyRefusal {
  try {
    return error instanceof KeyRefusal && typeof error.peer.keyId === 'string';
  } catch {
    return false;
  }
}
