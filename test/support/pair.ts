import { Logger } from '@nestjs/common';
import { generateKey, Keyring, SecretKey } from '@sealwire/crypto';
import { SealwireClient, SealwireServer } from '@sealwire/transport';
import type { SealwireClientOptions, SealwireOptions, SealwireServerOptions } from '@sealwire/transport';
import type { AddressInfo } from 'node:net';

Logger.overrideLogger(false);

export function newKeyring(): Keyring {
  return Keyring.of(SecretKey.fromBytes(generateKey()));
}

/** The key of {@link keyring}, for a server in a process of its own. */
export const key = generateKey();
export const keyring = Keyring.of(SecretKey.fromBytes(key));
const started: { close(): Promise<void> }[] = [];

/** Long enough for a handshake on a busy machine, and short for streams that never end. */
const PATIENT = { connectMs: 30_000, handshakeMs: 30_000, drainMs: 200 };

/** The options, with these deadlines instead of the defaults. */
export function patient<Options extends SealwireOptions>(options: Options): Options {
  return { ...options, timeouts: { ...PATIENT, ...options.timeouts } };
}

export async function startServer(options: Partial<SealwireServerOptions> = {}): Promise<SealwireServer> {
  const server = new SealwireServer({ port: 0, keyring, ...patient(options) });
  server.addHandler('echo', (data: unknown) => Promise.resolve(data));
  started.push(server);
  await listen(server);
  return server;
}

export function listen(server: SealwireServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.listen((error) => (error === undefined ? resolve() : reject(error)));
  });
}

export function portOf(server: SealwireServer): number {
  return (server.unwrap().address() as AddressInfo).port;
}

export function newClient(port: number, options: Partial<SealwireClientOptions> = {}): SealwireClient {
  const client = new SealwireClient({ port, keyring, ...patient(options) });
  started.push(client);
  return client;
}

/** Leaves it to {@link endAll} to close. */
export function endLater(closable: { close(): Promise<void> }): void {
  started.push(closable);
}

/** Ends whatever a test has started. */
export async function endAll(): Promise<void> {
  await Promise.all(started.splice(0).map((end) => end.close()));
}
