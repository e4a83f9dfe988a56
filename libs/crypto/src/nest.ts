export { CryptoModule, KeyFileProvider, KEYRING } from './crypto.module.js';
export type { CryptoModuleOptions } from './crypto.module.js';
