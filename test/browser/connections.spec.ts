import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { generateKey } from '@sealwire/crypto';
import { afterEach, describe, expect, it } from 'vitest';

import { freePorts } from '../support/free-ports.js';
import type { ConsolePage } from './browser.js';
import { Demo } from './setup.js';

const LIMITED = { statusCode: 429, code: 'ERR_RATE_LIMIT', message: 'Too many calls' };

const demo = new Demo();

afterEach(() => demo.end());

const connections = (page: ConsolePage): Promise<readonly string[]> =>
  page.page.locator('#connections tr').allInnerTexts();

describe('the connections of the console page', () => {
  it('show that a server is gone, and that it is back', async () => {
    const { port } = await freePorts('port');
    const server = await demo.startServer({ SEALWIRE_PORT: port });
    const page = await demo.open(await demo.startClient([server.address]));
    await expect.poll(() => page.text('#status')).toContain('Connected');
    await server.app.stop();
    await expect.poll(() => page.text('#status')).toBe('Not connected: start the server app');
    expect((await connections(page)).join()).toContain('not connected');
    await demo.startServer({ SEALWIRE_PORT: port });
    await expect.poll(() => page.text('#status')).toContain('Connected');
    await expect.poll(async () => (await connections(page))[0]).toMatch(/open.*\s1$/s);
    expect(page.errors).toEqual([]);
  });

  it('show the new key after a rotation', async () => {
    const server = await demo.startServer();
    const page = await demo.open(await demo.startClient([server.address]));
    await expect.poll(() => page.text('#key-id')).toBe(server.keyId);
    const file = join(await demo.apps.directory(), 'aes_key.bin');
    await writeFile(`${file}.new`, generateKey(), { mode: 0o600 });
    await rename(`${file}.new`, file);
    await expect.poll(() => page.text('#key-id')).toMatch(new RegExp(`^(?!${server.keyId})[0-9a-f]{16}$`));
    const keyId = await page.text('#key-id');
    await expect.poll(async () => (await connections(page)).join()).toContain(keyId);
    await page.send('hello');
    await expect.poll(() => page.text('#said')).toContain(`"keyId":"${keyId}"`);
  });

  it('show each of several servers', async () => {
    const servers = [await demo.startServer(), await demo.startServer()];
    const addresses = servers.map(({ address }) => address);
    const page = await demo.open(await demo.startClient(addresses));
    await page.send('hello', { times: '40' });
    await expect.poll(async () => (await connections(page)).length).toBe(2);
    for (const address of addresses) expect((await connections(page)).join()).toContain(address);
  });
});

describe('the console page with other settings', () => {
  it('asks for the token, refuses a wrong one, and works with the right one', async () => {
    const server = await demo.startServer();
    const page = await demo.open(await demo.startClient([server.address], { HTTP_TOKEN: 'open-sesame' }));
    await expect.poll(() => page.text('#status')).toBe('Waiting for the token');
    await page.page.fill('#token', 'Schlüssel');
    await page.page.click('text=Use the token');
    await expect.poll(() => page.text('#token-note')).toContain('letters, digits');
    await page.page.fill('#token', 'wrong');
    await page.page.click('text=Use the token');
    await expect.poll(() => page.text('#token-note')).toContain('does not accept this token');
    await page.page.fill('#token', 'open-sesame');
    await page.page.click('text=Use the token');
    await expect.poll(() => page.text('#status')).toContain('Connected');
    await page.send('hello');
    await expect.poll(() => page.text('#said')).toContain('Hello Server!');
  });

  it('shows sizes instead of texts with LOG_MESSAGES=false', async () => {
    const server = await demo.startServer();
    const page = await demo.open(await demo.startClient([server.address], { LOG_MESSAGES: 'false' }));
    await page.send('hello');
    await expect.poll(() => page.text('#said')).toMatch(/\d+ B, not shown[^]*24 B, not shown/);
    expect(await page.text('#said')).not.toContain('Hello');
    await page.send('hello', { body: '{"name":"Alice"}' });
    await expect.poll(() => page.text('#call-note')).toBe('ERR_RPC, text not shown');
  });

  it('follows LOG_MESSAGES when the app has started again', async () => {
    const { port } = await freePorts('port');
    const server = await demo.startServer();
    const env = { SEALWIRE_SERVERS: server.address, HTTP_PORT: port };
    const app = await demo.apps.start('client', env);
    const { trigger = '' } = await app.ready();
    const page = await demo.open(trigger);
    await page.send('hello', { body: '{"text":"before"}' });
    await expect.poll(() => page.text('#said')).toContain('before');
    await app.stop();
    await (await demo.apps.start('client', { ...env, LOG_MESSAGES: 'false' })).ready();
    await page.send('hello', { body: '{"text":"afterwards"}' });
    await expect.poll(() => page.text('#said')).toMatch(/\d+ B, not shown[^]*\d+ B, not shown/);
    expect(await page.text('#said')).not.toContain('afterwards');
    expect(await page.text('#said-hint')).toContain('LOG_MESSAGES is false');
  });

  it('waits for an app that does not answer for its settings', async () => {
    const server = await demo.startServer();
    const page = await demo.open('about:blank');
    await page.page.route('**/console/settings', (route) => route.abort(), { times: 1 });
    await page.page.route('**/console/settings', (route) => route.fulfill({ status: 429, json: LIMITED }), {
      times: 1,
    });
    await page.page.goto(await demo.startClient([server.address]));
    await expect.poll(() => page.text('#status')).toContain('Connected');
    expect(page.errors).toEqual([]);
  });

  it('says that the tap is off, and still sends', async () => {
    const server = await demo.startServer();
    const page = await demo.open(await demo.startClient([server.address], { WIRE_TAP: 'false' }));
    await expect.poll(() => page.text('#wire-hint')).toContain('The wire tap is off');
    expect(await page.page.isDisabled('#attack-button')).toBe(true);
    await page.send('hello');
    await expect.poll(() => page.text('#said')).toContain('Hello Server!');
    expect(page.errors).toEqual([]);
  });
});
