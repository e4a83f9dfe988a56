// The clock of this library is that of @sealwire/crypto, which looks after the time windows of keys and watches key files.
export { clock, MAX_TIMER_MS } from '@sealwire/crypto/internal';
