/** Injection token of the client that sends all messages. */
export const CHANNEL = Symbol('CHANNEL');
