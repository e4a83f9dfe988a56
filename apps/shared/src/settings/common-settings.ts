import { z } from 'zod';

import { host } from './fields.js';

const MAX_UNIX_PATH_BYTES = 107; // sun_path of Linux, less its terminator
const MAX_SERVICE_BYTES = 0xffff; // its length has two bytes on the wire (docs/protocol.md §4)

/** The variables that both apps read. */
export const commonVariables = {
  SEALWIRE_HOST: host.default('127.0.0.1'),
  SEALWIRE_PATH: textOfBytes(MAX_UNIX_PATH_BYTES, 'the path of a socket, at most 107 bytes long').optional(),
  SEALWIRE_KEY_FILE: z.string().default('aes_key.bin'),
  SEALWIRE_KEY_POLICY: z.enum(['strict', 'mounted-secret'], { error: 'strict or mounted-secret' }).default('strict'),
  SEALWIRE_SERVICE: textOfBytes(MAX_SERVICE_BYTES, 'a name of at most 65535 bytes').default('default'),
  LOG_FORMAT: z.enum(['pretty', 'json'], { error: 'pretty or json' }).optional(),
  LOG_MESSAGES: z
    .enum(['true', 'false'], { error: 'true or false' })
    .transform((text) => text === 'true')
    .default(true),
};

const schema = z.object(commonVariables);

export type CommonSettings = ReturnType<typeof commonSettings>;

export function commonSettings(env: Omit<z.output<typeof schema>, 'SEALWIRE_HOST'>) {
  return {
    keyFile: env.SEALWIRE_KEY_FILE,
    keyPolicy: env.SEALWIRE_KEY_POLICY,
    service: env.SEALWIRE_SERVICE,
    logFormat: env.LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json'),
    logMessages: env.LOG_MESSAGES,
  };
}

function textOfBytes(maxBytes: number, name: string) {
  return z.string().refine((text) => Buffer.byteLength(text) <= maxBytes, name);
}
