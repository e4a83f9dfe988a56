// Which parts of a message are sealed. Names are those of amqplib; each value is sealed as JSON.
import type { HeaderEntry, InnerHead } from '../seal/inner-message.js';
import type { RmqMessage, RmqProperties, RmqSendOptions } from './rmq-library.js';

/** The options that the broker or the client library reads. Everything else is sealed. */
const OUTER_OPTIONS = [
  'persistent',
  'deliveryMode',
  'expiration',
  'priority',
  'mandatory',
  'userId',
  'CC',
  'BCC',
  'timeout',
] as const;

/** The properties that are sealed. */
const SEALED_PROPERTIES = ['contentType', 'contentEncoding', 'messageId', 'timestamp', 'type', 'appId'] as const;

/** The headers that the broker, or a plugin of it, reads. */
const READ_BY_BROKER = new Set(['CC', 'BCC', 'x-delay', 'x-stream-filter-value']);

/** The headers that the broker writes: why and how often a message was dead-lettered, and delivered. */
const WRITTEN_BY_BROKER = /^x-(?:death$|first-death-|last-death-|delivery-count$|acquired-count$)/;

/** Returns the sealed headers and properties of a message. @throws {TypeError} One has no JSON. */
export function innerParts(options: RmqSendOptions): Pick<InnerHead, 'headers' | 'properties'> {
  const { headers } = options;
  return {
    headers: entriesOf(headers ?? {}),
    properties: entriesOf(pick(options, SEALED_PROPERTIES)),
  };
}

/**
 * Returns the options as the broker sees them, without the correlation id.
 *
 * @param openNames - In lower case: headers that are also sent in the clear.
 */
export function outerOptions(options: RmqSendOptions, openNames: readonly string[]): RmqSendOptions {
  const open = Object.entries(options['headers'] ?? {}).filter(
    ([name]) => READ_BY_BROKER.has(name) || openNames.includes(name.toLowerCase()),
  );
  return { ...pick(options, OUTER_OPTIONS), ...(open.length > 0 && { headers: Object.fromEntries(open) }) };
}

/**
 * Returns the properties of a received message: the sealed ones, and those that only the broker writes. Returns
 * undefined for values without JSON, which only a holder of the key can have sealed.
 */
export function innerProperties(
  { headers, properties }: InnerHead,
  outer: RmqMessage['properties'],
): RmqProperties | undefined {
  const sealedHeaders = valuesOf(headers);
  const sealed = valuesOf(properties);
  if (sealedHeaders === undefined || sealed === undefined) return undefined;
  const written = Object.entries(outer.headers ?? {}).filter(([name]) => WRITTEN_BY_BROKER.test(name));
  return {
    ...outer,
    ...Object.fromEntries(SEALED_PROPERTIES.map((name) => [name, sealed[name]])),
    headers: { ...sealedHeaders, ...Object.fromEntries(written) },
  };
}

function pick(options: RmqSendOptions, names: readonly string[]): RmqSendOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}

function entriesOf(values: object): readonly HeaderEntry[] {
  return Object.entries(values)
    .map(([name, value]) => [name, JSON.stringify(value) as string | undefined] as const)
    .filter((entry): entry is HeaderEntry => entry[1] !== undefined);
}

/** Returns the value of a sealed header. @throws {SyntaxError} Never for one of {@link innerProperties}. */
export function readHeader(value: string): unknown {
  return JSON.parse(value);
}

function valuesOf(entries: readonly HeaderEntry[] = []): Readonly<Record<string, unknown>> | undefined {
  try {
    return Object.fromEntries(entries.map(([name, value]) => [name, readHeader(value)]));
  } catch {
    return undefined;
  }
}
