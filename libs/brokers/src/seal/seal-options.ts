import { checkOption, checkOptions, checkPaths, FLAG, having, NAME, OBJECT, oneOf } from '@sealwire/channel/internal';
import type { KeyOptions, Rule } from '@sealwire/channel/internal';
import type { ReplayStore } from '@sealwire/envelope';

/** The options for sealing messages. Exactly one of `keyFile` and `keyring` must be given. */
export interface SealOptions extends KeyOptions {
  /** The name of the service, at most 255 bytes. Two sides can open each other's messages only if both use the same name. */
  readonly service: string;
  /**
   * The mode of sealing. With `seal`, the default, every message is sealed, and plain messages are refused. Use
   * `open-only` while a fleet is switched over: a server then also serves plain messages, and a client sends plain ones.
   */
  readonly mode?: 'seal' | 'open-only';
  /**
   * The name that a server compares with the subject for which a message was sealed. Default: `subject`, the name under
   * which the message arrived. Use `pattern`, the pattern of the handler, if the broker renames messages, or `none`
   * to compare nothing.
   */
  readonly bind?: 'subject' | 'pattern' | 'none';
  /**
   * The maximum age of a message in milliseconds, and the maximum by which the clock of its sender may be ahead. Default:
   * 60,000.
   */
  readonly maxAgeMs?: number;
  /** The store of handled message ids, shared by the servers of a queue group, so that only one of them handles each message. */
  readonly replayStore?: ReplayStore;
  /**
   * Whether the headers `traceparent` and `tracestate` are also sent in the clear, for tracing in the broker. Default:
   * false.
   */
  readonly traceparent?: boolean;
}

const MAX_AGE_MS = 86_400_000;
const MAX_SERVICE_BYTES = 255;

const RULES: Readonly<Record<string, Rule>> = {
  mode: oneOf('seal', 'open-only'),
  bind: oneOf('subject', 'pattern', 'none'),
  maxAgeMs: {
    mustBe: `a whole number of milliseconds from 1 to ${MAX_AGE_MS}`,
    accepts: (value) => Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= MAX_AGE_MS,
  },
  replayStore: having('claim', 'an object with the method claim'),
  traceparent: FLAG,
};

const SERVICE: Rule = {
  mustBe: `a name of 1 to ${MAX_SERVICE_BYTES} bytes`,
  accepts: (value) => NAME.accepts(value) && Buffer.byteLength(String(value)) <= MAX_SERVICE_BYTES,
};

const PATHS = ['keyFile', 'keyring', 'keyPolicy', 'service', ...Object.keys(RULES)];

/** The options, with their defaults. */
export interface SealSettings {
  readonly service: string;
  readonly isSealing: boolean;
  readonly bind: 'subject' | 'pattern' | 'none';
  readonly maxAgeMs: number;
  readonly replayStore: ReplayStore | undefined;
  /** The names, in lower case, of the headers that are also sent in the clear. */
  readonly openHeaders: readonly string[];
}

/** @throws {TransportError} `ERR_BAD_OPTION` */
export function resolveSealOptions(options: SealOptions): SealSettings {
  checkOption('seal', options, OBJECT);
  checkPaths({ seal: options }, ['seal', ...PATHS.map((path) => `seal.${path}`)]);
  checkOption('seal.service', options.service, SERVICE);
  checkOptions(options, RULES);
  const { service, mode = 'seal', bind = 'subject', maxAgeMs = 60_000, replayStore, traceparent = false } = options;
  const openHeaders = traceparent ? ['traceparent', 'tracestate'] : [];
  return { service, isSealing: mode === 'seal', bind, maxAgeMs, replayStore, openHeaders };
}
