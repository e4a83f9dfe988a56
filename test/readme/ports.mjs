import { once } from 'node:events';
import { createServer } from 'node:net';
import { Failure } from '../../scripts/lib/command.mjs';

const PORTS = [3000, 8080, 8081]; // the ports in the documents

/** Throws if a port is in use: the commands of the documents run unchanged, with their ports. */
export async function checkPortsFree() {
  const taken = (await Promise.all(PORTS.map(async (port) => ((await isFree(port)) ? [] : [port])))).flat();
  if (taken.length > 0)
    throw new Failure(
      `The commands of the documents need the ports ${PORTS.join(', ')} of 127.0.0.1; in use: ${taken.join(', ')}. End what listens there.`,
    );
}

async function isFree(port) {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true });
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}
