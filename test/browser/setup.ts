import { AppProcesses } from '../support/app-process.js';
import type { AppProcess, Env } from '../support/app-process.js';
import { ConsolePage } from './browser.js';

/** The two apps as processes, and pages of their console. */
export class Demo {
  readonly apps = new AppProcesses();
  readonly #pages: ConsolePage[] = [];

  /** Starts a server. @returns Its process and its address. */
  async startServer(
    env: Env = {},
  ): Promise<{ readonly app: AppProcess; readonly address: string; readonly keyId: string }> {
    const app = await this.apps.start('server', env);
    const { channel = '', keyId = '' } = await app.ready();
    return { app, address: channel, keyId };
  }

  /** Starts a client app with the wire tap. @returns The address of its page. */
  async startClient(servers: readonly string[], env: Env = {}): Promise<string> {
    const app = await this.apps.start('client', { SEALWIRE_SERVERS: servers.join(','), WIRE_TAP: 'true', ...env });
    const { trigger = '' } = await app.ready();
    return `${trigger}/`;
  }

  async open(...options: Parameters<typeof ConsolePage.open>): Promise<ConsolePage> {
    const page = await ConsolePage.open(...options);
    this.#pages.push(page);
    return page;
  }

  async closePages(): Promise<void> {
    await Promise.all(this.#pages.splice(0).map((page) => page.close()));
  }

  async end(): Promise<void> {
    await this.closePages();
    await this.apps.end();
  }
}
