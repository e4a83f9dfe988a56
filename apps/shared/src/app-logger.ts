import { ConsoleLogger } from '@nestjs/common';

/** The contexts of Nest's entries about its wiring, which are useful only to debug it. */
const WIRING: ReadonlySet<unknown> = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'NestMicroservice',
  'RouterExplorer',
  'RoutesResolver',
]);

/** Writes one line for each entry: JSON, or text for a terminal. Entries about Nest's wiring need NEST_LOG_LEVEL. */
export class AppLogger extends ConsoleLogger {
  readonly #wiring = process.env['NEST_LOG_LEVEL'] !== undefined;

  constructor(prefix: string, format: 'pretty' | 'json') {
    super({ prefix, json: format === 'json', flattenParams: true });
  }

  override log(message: unknown, ...rest: readonly unknown[]): void {
    if (this.#wiring || !WIRING.has(rest.at(-1))) super.log(message, ...rest);
  }
}
