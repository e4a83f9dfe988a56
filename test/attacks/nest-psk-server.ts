// Nest's own TCP transport over TLS 1.2 with a pre-shared key, by its `tlsOptions`, in a process of its own.
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';

import { ServerTCP } from '@nestjs/microservices';
import { PSK_TLS } from './psk-tls.js';

export type NestPskAsk =
  | { readonly ask: 'serve'; readonly psk: string }
  | { readonly ask: 'revoke' }
  | { readonly ask: 'forget tickets' }
  | { readonly ask: 'handled' };

const keys = new Map<string, Buffer>();
const handled: unknown[] = [];
const server = new ServerTCP({
  host: '127.0.0.1',
  port: 0,
  tlsOptions: { ...PSK_TLS, pskCallback: (_socket: TLSSocket, identity: string) => keys.get(identity) ?? null },
});
server.addHandler('count', (data: unknown) => Promise.resolve(handled.push(data)));
server.addHandler('echo', (data: unknown) => Promise.resolve(data));

async function answer(question: NestPskAsk): Promise<unknown> {
  switch (question.ask) {
    case 'serve':
      keys.set('client', Buffer.from(question.psk, 'hex'));
      await new Promise<void>((resolve) => server.listen(() => resolve()));
      return (server.unwrap<Server>().address() as AddressInfo).port;
    case 'revoke':
      keys.clear();
      return true;
    case 'forget tickets':
      server.unwrap<Server>().setTicketKeys(randomBytes(48));
      return true;
    case 'handled':
      return handled;
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (question: NestPskAsk) => void answer(question).then((result) => process.send?.(result)));
