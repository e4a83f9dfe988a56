import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { keyboardPath, lowContrast, mostRows, unnamedControls, watchRows } from './accessibility.js';
import type { ConsolePage } from './browser.js';
import { Demo } from './setup.js';

const IMAGES = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const MESSAGES = 10_000;
const MAX_KEPT_ROWS = 500;
const MAX_ROWS_OF_A_FRAME = 50;
const MIB = 1_048_576;
/** Garbage that a collection has not found yet, and the points of the chart. */
const MAX_GROWTH_BYTES = 4 * MIB;
const PHONE = { width: 390, height: 844 };

const demo = new Demo();
let url: string;

afterEach(() => demo.closePages());

beforeAll(async () => {
  const { address } = await demo.startServer();
  url = await demo.startClient([address]);
});

afterAll(() => demo.end());

async function openUsed(options: Parameters<Demo['open']>[1] = {}): Promise<ConsolePage> {
  const page = await demo.open(url, options);
  await expect.poll(() => page.text('#status')).toContain('Connected');
  await page.send('echo', { times: '40' });
  await expect.poll(() => page.text('#call-note')).toContain('40 of 40 answered');
  await page.page.fill('#times', '1');
  await page.send('stream', { body: '{"from":3,"intervalMs":400}' });
  await expect.poll(() => page.text('#call-note')).toMatch(/^Complete after/);
  await page.send('hello');
  await expect.poll(() => page.text('#said')).toContain('Hello Server!');
  await page.page.click('#attack-button');
  await expect.poll(() => page.text('#attack-note')).toContain('All three were played');
  return page;
}

async function picture(page: ConsolePage, name: string, fullPage = true): Promise<void> {
  await mkdir(IMAGES, { recursive: true });
  await page.page.evaluate(() => {
    scrollTo(0, 0);
    (document.activeElement as HTMLElement | null)?.blur();
  });
  await page.page.screenshot({ path: `${IMAGES}${name}.png`, fullPage });
}

describe('the console page', () => {
  it.each([
    ['console', { colorScheme: 'light' }],
    ['console-dark', { colorScheme: 'dark' }],
    ['console-phone', { colorScheme: 'light', viewport: PHONE, hasTouch: true }],
  ] as const)('has named controls, enough contrast and no sideways scrolling: %s', async (name, options) => {
    const page = await openUsed(options);
    expect(await unnamedControls(page.page)).toEqual([]);
    expect(await lowContrast(page.page)).toEqual([]);
    const overhang = await page.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    expect(overhang).toBeLessThanOrEqual(0);
    expect(page.errors).toEqual([]);
    await picture(page, name);
  });

  it('counts pings as hidden while no message has crossed the wire', async () => {
    const page = await demo.open(url);
    await expect.poll(() => page.text('#wire-count')).toMatch(/^(\d+) records \(\1 hidden\)$/);
    expect(await page.text('#wire')).toBe('No message has crossed the wire since the page was opened.');
  });

  it('is used with the keyboard alone, and shows where the focus is', async () => {
    const page = await demo.open(url);
    await expect.poll(() => page.text('#status')).toContain('Connected');
    const { reached, invisible } = await keyboardPath(page.page);
    expect(invisible).toEqual([]);
    for (const control of ['pattern', 'times', 'body', 'send-button', 'said', 'wire', 'pause-button', 'attack-button'])
      expect(reached).toContain(control);
    await page.page.focus('#pattern');
    await page.page.keyboard.press('Enter');
    await expect.poll(() => page.text('#said')).toContain('Hello Server!');
  });

  it('allows no script and no style but its own', async () => {
    const page = await demo.open(url);
    const response = await page.page.reload();
    const policy = response?.headers()['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
  });

  it('keeps a limited number of rows and no memory of ten thousand messages', async () => {
    const page = await demo.open(url);
    const heap = async (): Promise<number> => {
      const session = await page.page.context().newCDPSession(page.page);
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { usedSize: number };
      await session.detach();
      return usedSize;
    };
    const receive = async (count: number): Promise<void> => {
      await page.send('stream', { body: JSON.stringify({ from: count, intervalMs: 0 }) });
      await expect.poll(() => page.text('#call-note'), { timeout: 120_000 }).toMatch(/^Complete after/);
      await expect.poll(() => page.text('#said li:first-child')).toContain('complete after');
    };
    await receive(1_000);
    const before = await heap();
    await watchRows(page.page);
    await receive(MESSAGES);
    const { rendered, kept } = await mostRows(page.page);
    expect(rendered).toBeGreaterThan(0);
    expect(rendered).toBeLessThanOrEqual(MAX_ROWS_OF_A_FRAME);
    expect(kept).toBeLessThanOrEqual(MAX_KEPT_ROWS);
    expect(await page.page.locator('#said > li').count()).toBe(MAX_KEPT_ROWS);
    expect(await page.page.locator('#wire > li').count()).toBeLessThanOrEqual(MAX_KEPT_ROWS);
    expect((await heap()) - before).toBeLessThan(MAX_GROWTH_BYTES);
    expect(page.errors).toEqual([]);
  });
});
