import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, expect, describe, it } from 'vitest';

import { Demo } from './setup.js';

/** A browser opens six connections to one app for all tabs together. */
const TABS = 8;

const demo = new Demo();

afterEach(() => demo.end());

const textOf = (tab: Page, selector: string): Promise<string> => tab.locator(selector).innerText();

/** Opens a tab in place of the shown one. A browser without a window hides no tab, so the test sets the state of each. */
async function openTab(context: BrowserContext, url: string, shown: Page | undefined): Promise<Page> {
  if (shown !== undefined) await setHidden(shown, true);
  const tab = await context.newPage();
  await tab.goto(url);
  await expect.poll(() => textOf(tab, '#status')).toContain('Connected');
  return tab;
}

async function setHidden(tab: Page, isHidden: boolean): Promise<void> {
  await tab.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}

describe('the console page in many tabs', () => {
  it('works in the shown one, and continues in one that is shown again', async () => {
    const server = await demo.startServer();
    const url = await demo.startClient([server.address]);
    const { page } = await demo.open(url);
    const context = page.context();
    const tabs = [page];
    for (let count = 1; count < TABS; count++) tabs.push(await openTab(context, url, tabs.at(-1)));
    const [first = page, last = page] = [tabs[0], tabs.at(-1)];
    await last.click('#send-button');
    await expect.poll(() => textOf(last, '#said')).toContain('Hello Server!');
    await setHidden(last, true);
    await setHidden(first, false);
    await expect.poll(() => textOf(first, '#status')).toContain('Connected');
    await first.click('#send-button');
    await expect.poll(() => textOf(first, '#wire')).toMatch(/DATA\s+\d+ B/);
  });
});
