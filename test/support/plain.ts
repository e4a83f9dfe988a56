// The two ends of a channel without Nest.
import { ChannelClient, createChannelServer } from '@sealwire/channel';
import type {
  ChannelClientOptions,
  ChannelOptions,
  ChannelServer,
  PlainAnswer,
  StreamHandler,
} from '@sealwire/channel';
import type { AddressInfo } from 'node:net';
import { onTestFinished, vi } from 'vitest';

import { endLater, keyring, patient } from './pair.js';

type ServerEvents = Parameters<typeof createChannelServer>[2];
type ClientEvents = ConstructorParameters<typeof ChannelClient>[1];

export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
export const echo: PlainAnswer = ({ body }) => body;
export const never: PlainAnswer = () => new Promise(() => undefined);

export async function startPlainServer(
  answer: PlainAnswer,
  options: Partial<ChannelOptions> = {},
  events: ServerEvents = {},
): Promise<{ readonly server: ChannelServer<StreamHandler>; readonly port: number }> {
  const server = createChannelServer({ port: 0, keyring, ...patient(options) }, answer, events);
  endLater(server);
  await server.listen();
  return { server, port: (server.server.address() as AddressInfo).port };
}

export async function startChannelServer(answer: PlainAnswer, options: Partial<ChannelOptions> = {}): Promise<number> {
  return (await startPlainServer(answer, options)).port;
}

export function channelClient(
  port: number,
  options: Partial<ChannelClientOptions> = {},
  events: ClientEvents = {},
): ChannelClient {
  const client = new ChannelClient({ port, keyring, ...patient(options) }, events);
  endLater(client);
  return client;
}

/** Returns the warnings of the process until the test has finished. */
export function watchWarnings(): readonly string[] {
  const warnings: string[] = [];
  const spy = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
  onTestFinished(() => spy.mockRestore());
  return warnings;
}
