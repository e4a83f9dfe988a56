import { randomBytes } from '@sealwire/crypto/internal';

const INSTANCE_ID_BYTES = 16;

/** Of this process: clients by their instance keys, servers by their instance ids. `rejectSelf` asks for them. */
const ownClients = new Set<string>();
const ownServers = new Set<string>();

export function createInstanceId(): Buffer {
  return randomBytes(INSTANCE_ID_BYTES);
}

export function noteOwnClient(instanceKey: Buffer): void {
  ownClients.add(instanceKey.toString('hex'));
}

export function forgetOwnClient(instanceKey: Buffer): void {
  ownClients.delete(instanceKey.toString('hex'));
}

export function isOwnClient(instanceKey: Buffer): boolean {
  return ownClients.has(instanceKey.toString('hex'));
}

export function noteOwnServer(instanceId: Buffer): void {
  ownServers.add(instanceId.toString('hex'));
}

export function forgetOwnServer(instanceId: Buffer): void {
  ownServers.delete(instanceId.toString('hex'));
}

export function isOwnServer(instanceId: Buffer): boolean {
  return ownServers.has(instanceId.toString('hex'));
}
