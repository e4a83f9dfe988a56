/** Injection token of the client that every message leaves by. */
export const CHANNEL = Symbol('CHANNEL');
