export { sealA128CbcHs256, openA128CbcHs256 } from './a128cbc-hs256.js';
export { encryptAes128Cbc, decryptAes128Cbc } from './aes-cbc.js';
export { CRYPTO_ERROR_CODES, CryptoError } from './errors.js';
export type { CryptoErrorCode, CryptoFault } from './errors.js';
export { hkdfExpand, hkdfExtract, hmacSha256 } from './hkdf.js';
export { deriveKeySchedule, keyId } from './key-schedule.js';
export type { KeySchedule } from './key-schedule.js';
