import type { Target } from '../target.js';
import { connections } from './connections.js';
import { envelopes } from './envelopes.js';
import { channelJson, data, frames, messages } from './frames.js';
import { announcement, confirm, message1, message2, preamble } from './handshake.js';
import { bodies, hosts, patterns, queries } from './http.js';
import { keyFiles, keys, legacyMessages } from './key-files.js';
import { keyringFiles } from './keyring-files.js';
import { contents, records, sealed } from './records.js';
import { clients, servers } from './rogues.js';
import { bothStreams, rogueClient, rogueServer } from './streams.js';

export const TARGETS: readonly Target[] = [
  preamble,
  message1,
  message2,
  announcement,
  confirm,
  records,
  sealed,
  contents,
  frames,
  messages,
  data,
  channelJson,
  keys,
  keyFiles,
  keyringFiles,
  legacyMessages,
  envelopes,
  patterns,
  queries,
  bodies,
  hosts,
  rogueClient,
  rogueServer,
  bothStreams,
  connections,
  servers,
  clients,
];
