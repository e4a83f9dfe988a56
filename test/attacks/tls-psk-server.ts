// TLS 1.2 under a pre-shared key, with nothing but Node's own defaults, in a process of its own.
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';

export type TlsServerAsk =
  { readonly ask: 'serve'; readonly psk: string } | { readonly ask: 'revoke' } | { readonly ask: 'forget tickets' };

const keys = new Map<string, Buffer>();
const server = createServer(
  {
    ciphers: 'ECDHE-PSK-AES128-CBC-SHA256',
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    pskCallback: (_socket, identity) => keys.get(identity) ?? null,
  },
  (socket) => {
    socket.on('error', () => undefined);
    socket.end(socket.isSessionReused() ? 'resumed' : 'fresh');
  },
);

process.on('disconnect', () => process.exit());
process.on('message', (question: TlsServerAsk) => {
  switch (question.ask) {
    case 'serve':
      keys.set('client', Buffer.from(question.psk, 'hex'));
      server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
      return;
    case 'revoke':
      keys.clear();
      break;
    case 'forget tickets':
      server.setTicketKeys(randomBytes(48));
      break;
  }
  process.send?.(0);
});
