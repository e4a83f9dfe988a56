// What lets messages of 64 MiB through. Nest sends bytes as a JSON array of numbers, up to four characters each.

const MIB = 1024 * 1024;

export const SEALWIRE_LIMITS = {
  maxMessageBytes: 128 * MIB,
  maxIncompleteBytes: 256 * MIB,
  maxQueuedBytes: 256 * MIB,
} as const;

/** `maxBufferSize` is in characters, and no string of Node is longer. */
export const NEST_TCP_LIMITS = { maxBufferSize: 511 * MIB, maxSendBufferSize: 1024 * MIB } as const;

export const MOLECULER_LIMITS = { maxPacketSize: 511 * MIB } as const;

export const GRPC_LIMITS = {
  'grpc.max_receive_message_length': 128 * MIB,
  'grpc.max_send_message_length': 128 * MIB,
} as const;

/** What is printed beside the results. */
export const RAISED_LIMITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  sealwire: SEALWIRE_LIMITS,
  'nest-tcp, nest-tls and nest-psk': NEST_TCP_LIMITS,
  moleculer: MOLECULER_LIMITS,
  grpc: GRPC_LIMITS,
};
