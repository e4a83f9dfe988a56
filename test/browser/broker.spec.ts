// The console page with SEALWIRE_BROKER: both apps are processes, on a real NATS server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Engine, isMissing, skipNote } from '../brokers/engines/engine.js';
import { NATS } from '../brokers/engines/nats.js';
import type { ConsolePage } from './browser.js';
import { Demo } from './setup.js';

describe.skipIf(isMissing(NATS))(`the console page of apps on a NATS server${skipNote(NATS)}`, () => {
  const demo = new Demo();
  let engine: Engine;
  let keyId: string;
  let page: ConsolePage;

  beforeAll(async () => {
    engine = await Engine.start(NATS);
    const broker = { SEALWIRE_BROKER: engine.url };
    ({ keyId } = await demo.startServer(broker));
    page = await demo.open(await demo.startClient([], broker));
  });

  afterAll(async () => {
    await demo.end();
    await engine.stop();
  });

  const connections = (): Promise<readonly string[]> => page.page.locator('#connections tr').allInnerTexts();

  it('shows the key, the broker, and texts for a broker only', async () => {
    await expect.poll(() => page.text('#status')).toBe(`Connected, sealed under key ${keyId}`);
    expect(await page.text('#carrier')).toContain('NATS broker');
    await expect.poll(async () => (await connections()).join()).toContain(engine.url.replace('nats://', ''));
    expect(await page.page.locator('.for-connection:visible').count()).toBe(0);
    expect(await page.page.locator('.for-broker:visible').count()).toBeGreaterThan(0);
  });

  it('sends a message, and shows the reply next to the envelopes', async () => {
    await page.send('hello', { body: '{"text":"Nobody else reads this"}' });
    await expect.poll(() => page.text('#call-note')).toMatch(/^Answered after [\d.]+ ms$/);
    await expect.poll(() => page.text('#said')).toContain('Nobody else reads this');
    await expect.poll(() => page.text('#wire')).toMatch(/ENVELOPE\s+\d+ B\s+eyJ[\w.-]+…/);
    expect(await page.text('#wire')).not.toContain('Nobody else reads this');
  });

  it('shows all columns of the connections', async () => {
    await expect.poll(async () => (await connections()).join()).toContain(keyId);
    const hiddenPixels = await page.page
      .locator('.scroll')
      .evaluate((region) => region.scrollWidth - region.clientWidth);
    expect(hiddenPixels).toBe(0);
  });

  it('shows the values of a stream, and cancels one', async () => {
    await page.send('stream', { body: '{"from":3,"intervalMs":50}' });
    await expect.poll(() => page.text('#call-note')).toMatch(/^Complete after/);
    await page.send('stream', { body: '{"from":1000,"intervalMs":50}' });
    await expect.poll(() => page.text('#said')).toContain('998');
    await page.page.click('#cancel-button');
    await expect.poll(() => page.text('#call-note')).toBe('Cancelled by this page');
  });

  it('plays three attacks, which the server refuses and counts', async () => {
    await page.page.click('#attack-button');
    await expect.poll(() => page.text('#attack-note')).toBe('All three were played against the running server.');
    expect(await page.page.locator('.verdict').allInnerTexts()).toEqual(['Refused', 'Refused', 'Refused']);
    for (const result of await page.page.locator('.result').allInnerTexts()) {
      expect(result).toMatch(/In the counters of 1 of the servers, /);
      expect(result).toMatch(/Afterwards\s+A genuine message was answered in/);
    }
  });

  it('shows that the broker is gone, and that it is back', async () => {
    await engine.kill();
    await expect.poll(() => page.text('#status')).toBe('Not connected: start the broker');
    await page.send('hello');
    await expect.poll(() => page.text('#call-note')).toContain('ERR_BROKER');
    await engine.restart();
    await expect.poll(() => page.text('#status')).toContain('Connected');
    await page.send('hello', { body: '{"text":"again"}' });
    await expect.poll(() => page.text('#said')).toContain('again');
  });

  // The last test, because it looks back at all others.
  it('has caused no error in the console', () => {
    expect(page.errors).toEqual([]);
  });
});
