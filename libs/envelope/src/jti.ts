// The id of an envelope, docs/envelope.md §3.3:   BASE64URL(sender, 16 random bytes) '.' counter
import { randomBytes } from '@sealwire/crypto/internal';

const SENDER_BYTES = 16;
/** The last of 22 characters has two bits of the sender and four zero bits. */
const JTI = /^([\w-]{21}[AQgw])\.(0|[1-9]\d{0,15})$/;

export interface Jti {
  /** The 16 random bytes of the object that sealed the envelope, as 22 characters. */
  readonly sender: string;
  /** 0 to 2^53 - 1. */
  readonly counter: number;
}

/** Returns undefined for any text that is not the one form of an id. */
export function parseJti(text: string): Jti | undefined {
  const [, sender, digits] = JTI.exec(text) ?? [];
  const counter = Number(digits);
  return sender !== undefined && Number.isSafeInteger(counter) ? { sender, counter } : undefined;
}

/** Draws a sender, and returns the function that makes its ids. */
export function jtiSequence(): () => string {
  const sender = randomBytes(SENDER_BYTES).toString('base64url');
  let counter = 0;
  return () => `${sender}.${counter++}`;
}
