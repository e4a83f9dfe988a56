// Only for the other packages of Sealwire: it may change in every release.
export { randomBytes } from 'node:crypto';

export { brand } from './brand.js';
export { guarded, report } from './callback.js';
export { sha256 } from './cipher/hmac.js';
export { release } from './cipher/release.js';
export { OpeningKey, sealedBytes, SealingKey } from './cipher/sealing-key.js';
export { A128CBC_HS256 } from './cipher/suite.js';
export type { CipherSuite, Opener, Sealer } from './cipher/suite.js';
export { KeyPair, PUBLIC_KEY_BYTES } from './cipher/x25519.js';
export { clock, MAX_TIMER_MS } from './clock.js';
export type { Clock } from './clock.js';
export { createFile } from './key-file/create.js';
export { resolveKeyFile } from './key-file/path.js';
export { allowsPattern } from './keys/key-patterns.js';
export { isUsable } from './keys/ring-key.js';
export { formatTimestamp, parseTimestamp } from './keys/timestamp.js';
export { formatEnvelopeKeys } from './ring-file/jwk-set.js';
export { decodeText, JsonError, parseJson } from './ring-file/json.js';
export type { JsonValue } from './ring-file/json.js';
export { formatKeyringFile, isKeyringFile, parseKeyringFile } from './ring-file/ring-file.js';
export type { KeyringFileEntry } from './ring-file/entry.js';
export { forgetKey, installKey, removeKey, retireKey, revokeKey, useKey } from './ring-edit/changes.js';
export { editKeyringFile, readEntries, readRing } from './ring-edit/edit.js';
export type { KeyFileEntries } from './ring-edit/edit.js';
export { findEntry } from './ring-edit/find-entry.js';
