import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';
import type { BrowserContext, BrowserContextOptions, ConsoleMessage, Page } from 'playwright-core';

const EXECUTABLES = ['/usr/bin/chromium', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const ACTION_TIMEOUT_MS = 60_000;
const DESKTOP = { width: 1400, height: 1000 };

/** A page in a browser of its own, with everything that it has requested and complained about. */
export class ConsolePage {
  readonly page: Page;
  readonly requests: string[] = [];
  readonly errors: string[] = [];
  readonly #context: BrowserContext;
  readonly #directory: string;

  private constructor(context: BrowserContext, page: Page, directory: string) {
    this.#context = context;
    this.#directory = directory;
    this.page = page;
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('console', (message) => this.#note(message));
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  static async open(url: string, options: BrowserContextOptions = {}): Promise<ConsolePage> {
    const directory = await mkdtemp(join(tmpdir(), 'sealwire-browser-'));
    const executablePath = EXECUTABLES.find((path) => existsSync(path));
    if (executablePath === undefined) throw new Error(`No browser is installed: ${EXECUTABLES.join(', ')}`);
    const context = await chromium.launchPersistentContext(directory, {
      executablePath,
      args: FLAGS,
      headless: true,
      viewport: DESKTOP,
      ...options,
    });
    context.setDefaultTimeout(ACTION_TIMEOUT_MS);
    const opened = new ConsolePage(context, context.pages()[0] ?? (await context.newPage()), directory);
    await opened.page.goto(url);
    return opened;
  }

  async close(): Promise<void> {
    await this.#context.close();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  text(selector: string): Promise<string> {
    return this.page.locator(selector).innerText();
  }

  /** Fills the form by an example, and changes what is given. */
  async fill(preset: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.page.click(`[data-preset="${preset}"]`);
    for (const [name, value] of Object.entries(fields)) await this.page.fill(`#${name}`, value);
  }

  async send(preset: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.fill(preset, fields);
    await this.page.click('#send-button');
  }

  /** Chromium itself writes a line for each answer with a status of 400 or more, which tests of failures cause. */
  #note(message: ConsoleMessage): void {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (message.text().startsWith('Failed to load resource')) return;
    this.errors.push(message.text());
  }
}
