import { randomBytes } from '@sealwire/crypto/internal';

const INSTANCE_ID_BYTES = 16;

/** Of this process: clients by their instance keys, servers by their instance ids. `rejectSelf` asks for them. */
const ownClients = sharedSet('ownClients');
const ownServers = sharedSet('ownServers');

/** Returns one set for all copies of this package in the process, because npm can install two. */
function sharedSet(name: string): Set<string> {
  const key = Symbol.for(`@sealwire/channel/${name}`);
  const known: unknown = Reflect.get(globalThis, key);
  if (known instanceof Set) return known;
  const created = new Set<string>();
  Object.defineProperty(globalThis, key, { value: created });
  return created;
}

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
