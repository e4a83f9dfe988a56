import { takeCodec } from '../connection/sealing.js';
import { keyLoader, resolveChannelOptions, resolveEndpoint, resolveService } from '../options/channel-options.js';
import type { ChannelOptions } from '../options/channel-options.js';
import type { StreamHandler } from '../streams/server-stream.js';
import { ChannelServer } from './channel-server.js';
import type { ChannelServerEvents } from './channel-server.js';
import { answerBytes } from './plain-handler.js';
import type { PlainAnswer } from './plain-handler.js';

export interface PlainServerEvents extends Partial<ChannelServerEvents<StreamHandler>> {
  /** Called with what is wrong with the key file, though it may be used. */
  readonly warn?: (message: string) => void;
}

const ignore = (): void => undefined;

/**
 * Creates a server that answers requests and events of raw bytes with `answer`; it listens after `listen()`.
 *
 * @throws {TransportError} `ERR_BAD_OPTION`
 */
export function createChannelServer(
  options: ChannelOptions,
  answer: PlainAnswer,
  { warn = ignore, ...events }: PlainServerEvents = {},
): ChannelServer<StreamHandler> {
  return new ChannelServer({
    limits: resolveChannelOptions(options, 'server'),
    endpoint: resolveEndpoint(options),
    service: resolveService(options),
    loadKeys: keyLoader(options, warn),
    createCodec: takeCodec,
    createHandler: answerBytes(answer),
    rejectSelf: options.rejectSelf ?? false,
    shareReadBuffer: options.shareReadBuffer ?? true,
    keepSealedRecord: false,
    events: {
      onStatusChanged: ignore,
      onFailed: ignore,
      onRefused: ignore,
      onOpened: ignore,
      onClosed: ignore,
      ...events,
    },
  });
}
