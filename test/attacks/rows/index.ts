import type { Attack } from '../attack.js';
import { HOSTILE_BROKER } from './brokers.js';
import { CONTENT } from './content.js';
import { EQUALITY } from './equality.js';
import { FLOOD } from './flood.js';
import { HELD_MESSAGES } from './held-messages.js';
import { IDENTITY } from './identity.js';
import { INSTANCE } from './instance.js';
import { KEYS } from './keys.js';
import { LIMITS } from './limits.js';
import { SECRETS } from './secrets.js';
import { PADDING_ORACLE } from './padding-oracle.js';
import { REPLAY } from './replay.js';
import { SOURCES_OF_ANSWERS } from './sources.js';
import { TAMPERING } from './tampering.js';
import { TRIGGER } from './trigger.js';

/** All attacks, in the order of their rows. */
export const ATTACKS: readonly Attack[] = [
  ...TAMPERING,
  ...PADDING_ORACLE,
  ...EQUALITY,
  ...REPLAY,
  ...IDENTITY,
  ...INSTANCE,
  ...FLOOD,
  ...LIMITS,
  ...KEYS,
  ...SECRETS,
  ...CONTENT,
  ...TRIGGER,
  ...SOURCES_OF_ANSWERS,
  ...HELD_MESSAGES,
  ...HOSTILE_BROKER,
].sort((one, other) => one.row - other.row);
