import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports that nothing listened on a moment ago. They are below those that systems choose from when a program asks for any:
 * no other test is given one of them before it is used.
 */
export async function freePorts<const Names extends readonly string[]>(
  ...names: Names
): Promise<Record<Names[number], string>> {
  const servers = await Promise.all(names.map((name) => listen(name)));
  await Promise.all(servers.map(({ server }) => once(server.close(), 'close')));
  return Object.fromEntries(servers.map(({ name, port }) => [name, String(port)])) as Record<Names[number], string>;
}

const PORTS = { first: 20_000, last: 32_000 };

async function listen(name: string) {
  for (;;) {
    const port = randomInt(PORTS.first, PORTS.last);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (isFree) return { name, server, port };
  }
}
