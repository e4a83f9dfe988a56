import { randomBytes } from 'node:crypto';

const INSTANCE_ID_BYTES = 16;

/** The instance ids of this process's clients, by which a server can tell that it talks to itself. */
const ownClients = new Set<string>();

export function createInstanceId(): Buffer {
  return randomBytes(INSTANCE_ID_BYTES);
}

export function noteOwnClient(instanceId: Buffer): void {
  ownClients.add(instanceId.toString('hex'));
}

export function forgetOwnClient(instanceId: Buffer): void {
  ownClients.delete(instanceId.toString('hex'));
}

export function isOwnClient(instanceId: Buffer): boolean {
  return ownClients.has(instanceId.toString('hex'));
}
