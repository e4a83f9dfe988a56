import { ConsoleLogger } from '@nestjs/common';

import type { Settings } from './settings.js';

/** How Nest wires the app: of use to whoever debugs that, and in the way of everybody else. */
const WIRING: ReadonlySet<unknown> = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'NestMicroservice',
  'RouterExplorer',
  'RoutesResolver',
]);

/** One line an entry: JSON, or text for a terminal. Nest's own wiring is told only where NEST_LOG_LEVEL is set. */
export class AppLogger extends ConsoleLogger {
  readonly #wiring = process.env['NEST_LOG_LEVEL'] !== undefined;

  constructor({ logFormat }: Pick<Settings, 'logFormat'>) {
    super({ prefix: 'client', json: logFormat === 'json', flattenParams: true });
  }

  override log(message: unknown, ...rest: readonly unknown[]): void {
    if (this.#wiring || !WIRING.has(rest.at(-1))) super.log(message, ...rest);
  }
}
