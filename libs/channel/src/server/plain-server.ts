import { guarded } from '@sealwire/crypto/internal';

import { takeCodec } from '../connection/sealing.js';
import { ChannelKeys } from '../keys/channel-keys.js';
import { resolveChannelOptions, resolveEndpoint, resolveService } from '../options/channel-options.js';
import type { ChannelOptions } from '../options/channel-options.js';
import { checkCallbacks, checkOption, FUNCTION } from '../options/option-check.js';
import type { StreamHandler } from '../streams/server-stream.js';
import { ChannelServer } from './channel-server.js';
import type { ChannelServerEvents } from './channel-server.js';
import { RunningInConnection } from './running-in-connection.js';
import { RunningInServer } from './running-in-server.js';
import { PlainHandler } from './plain-handler.js';
import type { PlainAnswer } from './plain-handler.js';

export interface PlainServerEvents extends Partial<ChannelServerEvents<StreamHandler>> {
  /** Called with each warning about the key file, and with the reason if a changed file was not loaded. */
  readonly warn?: (message: string) => void;
}

const EVENT_NAMES = ['onStatusChanged', 'onFailed', 'onRefused', 'onOpened', 'onClosed', 'warn'];
/** For all connections together; the same as the default of the transport's `limits.maxRunningTotal`. */
const MAX_HANDLERS = 65_536;

/**
 * Creates a server that answers requests and events of raw bytes with `answer`; it listens after `listen()`.
 *
 * The number of running handlers, including cancelled ones, is limited to twice `limits.maxInFlight` for one
 * connection, and to 65,536 for the server. The memory of their messages is limited to `limits.maxIncompleteBytesTotal`,
 * and to half of it for one connection. A message beyond these limits is refused with `ERR_OVERLOADED`. An event is
 * acknowledged when its handler has settled. A handler must not await `close()`, which waits for the handler.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`
 */
export function createChannelServer(
  options: ChannelOptions,
  answer: PlainAnswer,
  events: PlainServerEvents = {},
): ChannelServer<StreamHandler> {
  const limits = resolveChannelOptions(options, 'server');
  checkOption('answer', answer, FUNCTION);
  checkCallbacks(events, EVENT_NAMES);
  const maxBytes = limits.maxIncompleteBytesTotal;
  const total = new RunningInServer(MAX_HANDLERS, maxBytes);
  const ofConnection = { maxRunning: 2 * limits.maxInFlight, maxRunningBytes: Math.ceil(maxBytes / 2) };
  return new ChannelServer<StreamHandler>({
    limits,
    endpoint: resolveEndpoint(options),
    service: resolveService(options),
    keys: new ChannelKeys(options, { warn: guarded('The callback warn()', events.warn) }),
    createCodec: takeCodec,
    createHandler: (peer, window) =>
      new PlainHandler({ answer, peer, window, limit: new RunningInConnection(ofConnection, total) }),
    rejectSelf: options.rejectSelf ?? false,
    shareReadBuffer: options.shareReadBuffer ?? true,
    keepSealedRecord: false,
    events,
  });
}
