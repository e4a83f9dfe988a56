import { z } from 'zod';

import { flag, host, remotePort } from './fields.js';

const MAX_UNIX_PATH_BYTES = 107; // sun_path of Linux, less its terminator
const MAX_SERVICE_BYTES = 0xffff; // its length has two bytes on the wire (docs/protocol.md §4)

const NATS_URL = /^nats:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/;

/** `nats://host:port,nats://host,…`: the servers of one NATS cluster. */
const broker = z
  .string()
  .transform((text) => text.split(',').map((url) => url.trim()))
  .refine((urls) => urls.every(isNatsUrl), 'a URL such as nats://localhost:4222, or several separated by commas');

/** The variables that both apps read. */
export const commonVariables = {
  SEALWIRE_HOST: host.default('127.0.0.1'),
  SEALWIRE_PATH: textOfBytes(MAX_UNIX_PATH_BYTES, 'the path of a socket, at most 107 bytes long').optional(),
  SEALWIRE_BROKER: broker.optional(),
  SEALWIRE_KEY_FILE: z.string().default('aes_key.bin'),
  SEALWIRE_KEY_POLICY: z.enum(['strict', 'mounted-secret'], { error: 'strict or mounted-secret' }).default('strict'),
  SEALWIRE_SERVICE: textOfBytes(MAX_SERVICE_BYTES, 'a name of at most 65535 bytes').default('default'),
  LOG_FORMAT: z.enum(['pretty', 'json'], { error: 'pretty or json' }).optional(),
  LOG_MESSAGES: flag.default(true),
};

const schema = z.object(commonVariables);

export type CommonSettings = ReturnType<typeof commonSettings>;

export function commonSettings(env: Omit<z.output<typeof schema>, 'SEALWIRE_HOST'>) {
  return {
    /** The URLs of the NATS servers that carry the messages; undefined if the apps connect to each other. */
    broker: env.SEALWIRE_BROKER,
    keyFile: env.SEALWIRE_KEY_FILE,
    keyPolicy: env.SEALWIRE_KEY_POLICY,
    service: env.SEALWIRE_SERVICE,
    logFormat: env.LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    logMessages: env.LOG_MESSAGES,
  };
}

function isNatsUrl(url: string): boolean {
  const [whole, port = '4222'] = NATS_URL.exec(url) ?? [];
  return whole !== undefined && remotePort.safeParse(port).success;
}

function textOfBytes(maxBytes: number, name: string) {
  return z.string().refine((text) => Buffer.byteLength(text) <= maxBytes, name);
}
