import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ConsolePage } from './browser.js';
import { Demo } from './setup.js';

const demo = new Demo();
let url: string;
let keyId: string;
let page: ConsolePage;

beforeAll(async () => {
  const server = await demo.startServer();
  ({ keyId } = server);
  url = await demo.startClient([server.address]);
  page = await demo.open(url);
});

afterAll(() => demo.end());

const said = (): Promise<string> => page.text('#said');
const wire = (): Promise<string> => page.text('#wire');

describe('the console page', () => {
  it('shows the key that everything is sealed under', async () => {
    await expect.poll(() => page.text('#status')).toBe(`Connected, sealed under key ${keyId}`);
    expect(await page.text('#key-id')).toBe(keyId);
  });

  it('sends a message, and shows the reply next to the sealed bytes', async () => {
    await page.send('hello', { body: '{"text":"Nobody else reads this"}' });
    await expect.poll(() => page.text('#call-note')).toMatch(/^Answered after [\d.]+ ms$/);
    await expect.poll(said).toContain(`"keyId":"${keyId}"`);
    expect(await said()).toContain('Nobody else reads this');
    await expect.poll(wire).toMatch(/DATA\s+\d+ B\s+[0-9a-f]{96}…\s+received under key/);
    expect(await wire()).toContain(`sent under key ${keyId}`);
    expect(await wire()).not.toContain('Nobody else reads this');
  });

  it('sends bytes, and shows the bytes of the reply', async () => {
    await page.send('bytes', { body: '00 01 fe ff 7a' });
    await expect.poll(async () => (await said()).match(/0001feff7a/g)).toHaveLength(2);
  });

  it('sends an event, and reports that the server has accepted it', async () => {
    await page.send('event');
    await expect.poll(() => page.text('#call-note')).toMatch(/^Accepted after/);
  });

  it('shows the values of a stream as they arrive, and its end', async () => {
    await page.send('stream', { body: '{"from":3,"intervalMs":50}' });
    await expect.poll(() => page.text('#call-note')).toMatch(/^Complete after/);
    expect(await page.page.locator('#said .received .said-text').allInnerTexts()).toEqual(
      expect.arrayContaining(['3', '2', '1', '0']),
    );
  });

  it('cancels a stream, and the server stops the handler', async () => {
    await page.send('stream', { body: '{"from":1000,"intervalMs":50}' });
    await expect.poll(said).toContain('998');
    await page.page.click('#cancel-button');
    await expect.poll(() => page.text('#call-note')).toBe('Cancelled by this page');
    expect(await page.page.isDisabled('#cancel-button')).toBe(true);
  });

  it.each([
    ['no JSON', 'hello', { body: '{"text":' }, 'The message must be JSON'],
    ['half of a byte', 'bytes', { body: '00 0' }, 'pairs of hexadecimal digits'],
    ['no pattern', 'echo', { pattern: '  ' }, 'Enter the pattern'],
    ['a step in an address', 'echo', { pattern: '..' }, 'cannot send this pattern'],
    ['no number', 'echo', { times: '0' }, 'from 1 to 10000'],
  ])('refuses %s before it is sent, and moves the focus there', async (_name, preset, fields, complaint) => {
    const before = page.requests.length;
    await page.send(preset, fields);
    expect(await page.text('#call-note')).toContain(complaint);
    expect(await page.page.locator('[aria-invalid="true"]:focus').count()).toBe(1);
    expect(page.requests.slice(before).filter((address) => !address.endsWith('health'))).toEqual([]);
    await page.page.fill('#times', '1');
  });

  it('refuses half of a character in a pattern', async () => {
    await page.fill('echo');
    await page.page.evaluate(() => Object.assign(document.querySelector('#pattern') ?? {}, { value: '\ud83d' }));
    await page.page.click('#send-button');
    expect(await page.text('#call-note')).toContain('cannot send this pattern');
  });

  it('shows the code and the reason of a call that fails', async () => {
    await page.send('echo', { pattern: 'no-such-handler' });
    await expect.poll(() => page.text('#call-note')).toContain('ERR_NO_HANDLER: The server has no handler');
  });

  it('says what to do if a stream is too long for an address', async () => {
    await page.send('stream', { body: JSON.stringify({ from: 1, comment: '1'.repeat(20_000) }) });
    await expect.poll(() => page.text('#call-note')).toMatch(/^ERR_HEADERS_TOO_LARGE: .*send long data in a body/);
  });

  it('plays attacks while more streams are open than a browser has connections', async () => {
    await page.send('stream', { times: '10', body: '{"from":10000,"intervalMs":50}' });
    await page.page.click('#attack-button');
    await expect.poll(() => page.text('#attack-note')).toBe('All three were played against the running server.');
    await page.page.click('#cancel-button');
    await expect.poll(() => page.text('#call-note')).toContain('0 of 10 answered');
    await page.page.fill('#times', '1');
  });

  it('shows markup in a message as text', async () => {
    await page.send('echo', { body: '"<img src=x onerror=alert(1)>"' });
    await expect.poll(said).toContain('<img src=x');
    expect(await page.page.locator('#said img').count()).toBe(0);
  });

  it('plays three attacks, which the server refuses', async () => {
    await page.page.click('#attack-button');
    await expect.poll(() => page.text('#attack-note')).toBe('All three were played against the running server.');
    expect(await page.page.locator('.verdict').allInnerTexts()).toEqual(['Refused', 'Refused', 'Refused']);
    const [flip = '', replay = '', cut = ''] = await page.page.locator('.result').allInnerTexts();
    for (const result of [flip, replay, cut]) {
      expect(result).toMatch(/It (?:ended|reset) the connection after [\d.]+ ms, and sent no answer/);
      expect(result).toMatch(/In the counters of the server, ERR_\w+ rose from \d+ to \d+/);
      expect(result).toMatch(/Afterwards\s+A genuine message was answered in/);
    }
    expect(flip).toMatch(/became [0-9a-f]{2}\./);
  });

  it('holds still while it is paused', async () => {
    await page.page.click('#pause-button');
    const before = await wire();
    await page.send('hello');
    await expect.poll(() => page.text('#call-note')).toMatch(/^Answered after/);
    expect(await wire()).toBe(before);
    await page.page.click('#pause-button');
  });

  // The last test, because it looks back at all others.
  it('has caused no error in the console, and no request to another host', () => {
    expect(page.errors).toEqual([]);
    expect(page.requests.filter((address) => !address.startsWith(url))).toEqual([]);
  });
});
