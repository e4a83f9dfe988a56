import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { CHANNEL } from '../../../apps/client/src/channel/channel.js';
import { DirectClient } from '../../../apps/client/src/channel/direct-client.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { call, open, post } from '../../support/http-call.js';
import { startServerHere } from './server-app.js';
import type { ServerHere } from './server-app.js';
import { startClientHere } from './trigger-app.js';
import type { ClientHere } from './trigger-app.js';

const TEXT = 'Nobody may read this on the wire';

interface Row {
  readonly kind: string;
  readonly direction?: string;
  readonly number?: number;
  readonly type?: string;
  readonly sealed?: string;
  readonly connections?: readonly object[];
  readonly calls?: object;
}

let directory: string;
let server: ServerHere;
let proxy: TcpProxy;
let client: ClientHere | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealwire-tap-'));
  server = await startServerHere({ SEALWIRE_KEY_FILE: join(directory, 'aes_key.bin') });
  proxy = await TcpProxy.to(Number(server.channel.split(':')[1]));
});

afterEach(async () => {
  await client?.app.close();
  client = undefined;
});

afterAll(async () => {
  await server.app.close();
  proxy.close();
  await rm(directory, { recursive: true });
});

async function start(env: NodeJS.ProcessEnv): Promise<ClientHere> {
  const shared = { SEALWIRE_KEY_FILE: join(directory, 'aes_key.bin'), SEALWIRE_PORT: String(proxy.port) };
  client = await startClientHere({ ...shared, ...env });
  return client;
}

const openTap = ({ url }: ClientHere, headers = {}): Promise<IncomingMessage> =>
  open(`${url}/console/wire`, { method: 'GET', headers });

/** Reads rows until one of them is `last`. */
async function readRows(response: IncomingMessage, last: (row: Row) => boolean): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const line of createInterface({ input: response })) {
    const row = JSON.parse(line) as Row;
    rows.push(row);
    if (last(row)) break;
  }
  response.destroy();
  return rows;
}

const isReceivedData = ({ direction, type }: Row): boolean => direction === 'received' && type === 'DATA';

describe('the wire tap', () => {
  it('shows the records of a call as they crossed the wire, and nothing of the text', async () => {
    const app = await start({ WIRE_TAP: 'true' });
    const response = await openTap(app);
    const rows = readRows(response, isReceivedData);
    expect(await post(`${app.url}/send/echo`, { text: TEXT })).toMatchObject({ status: 200 });
    const shown = await rows;
    const wire = proxy.bytes('c2s').toString('hex') + proxy.bytes('s2c').toString('hex');
    const records = shown.filter(({ kind }) => kind === 'wire');
    expect(records.length).toBeGreaterThan(1);
    for (const { sealed = '' } of records) {
      expect(sealed.length).toBeGreaterThan(0);
      expect(wire).toContain(sealed);
    }
    expect(JSON.stringify(shown)).not.toContain(TEXT);
    expect(response.headers['content-type']).toBe('application/x-ndjson');
  });

  it('shows the state of the connections and the number of calls', async () => {
    const app = await start({ WIRE_TAP: 'true' });
    await post(`${app.url}/send/echo`, 'one');
    const [state] = await readRows(await openTap(app), ({ kind }) => kind === 'state');
    const address = `127.0.0.1:${proxy.port}`;
    const keyId: unknown = expect.stringMatching(/^[0-9a-f]{16}$/);
    expect(state).toMatchObject({
      keyId,
      servers: [{ server: address, state: 'connected' }],
      connections: [{ server: address, keyId, state: 'open', reconnects: 0 }],
      calls: { begun: 1, answered: 1 },
    });
  });

  it('is off by default: its address says so, and the client is an ordinary one', async () => {
    const app = await start({});
    const answer = await call(`${app.url}/console/wire`, { method: 'GET' });
    expect(answer).toMatchObject({ status: 404, json: { code: 'ERR_TAP_OFF' } });
    expect(Object.getPrototypeOf(app.app.get(CHANNEL, { strict: false }))).toBe(DirectClient.prototype);
  });

  it('needs the token if one is set', async () => {
    const app = await start({ WIRE_TAP: 'true', HTTP_TOKEN: 'open-sesame' });
    const address = `${app.url}/console/wire`;
    expect(await call(address, { method: 'GET' })).toMatchObject({ status: 401, json: { code: 'ERR_UNAUTHORIZED' } });
    const rows = await readRows(await openTap(app, { authorization: 'Bearer open-sesame' }), () => true);
    expect(rows).toMatchObject([{ kind: 'state' }]);
  });

  it('accepts GET only', async () => {
    const { url } = await start({ WIRE_TAP: 'true' });
    expect(await call(`${url}/console/wire`)).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(await call(`${url}/console/wire`, { method: 'HEAD' })).toMatchObject({ status: 405 });
  });

  it('ends when the app shuts down', async () => {
    const app = await start({ WIRE_TAP: 'true' });
    const response = await openTap(app);
    const rows = readRows(response, () => false);
    await app.app.close();
    client = undefined;
    expect((await rows).every(({ kind }) => kind === 'state')).toBe(true);
  });
});
