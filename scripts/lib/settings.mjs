import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Failure } from './failure.mjs';
import { ROOT } from './tool.mjs';

/** Returns the environment of the apps. They read `.env` as well; variables that are set override it. */
export async function readEnvironment() {
  const file = await readFile(join(ROOT, '.env'), 'utf8').catch(() => '');
  return {
    LOG_FORMAT: 'pretty',
    WIRE_TAP: 'true', // for the console page
    // The apps print into a pipe, so they cannot see whether their lines end up on a terminal.
    ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
    ...parseEnv(file),
    ...Object.fromEntries(Object.entries(process.env).filter((entry) => !isServiceLink(entry))),
  };
}

/**
 * Returns whether a variable is not a setting: Kubernetes and `docker run --link` set NAME_PORT for each service that
 * is called NAME.
 */
const isServiceLink = ([name, value]) => name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//.test(value);

/**
 * Returns the addresses on which the two apps listen, which read the same settings from the environment.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function readListeners(env) {
  const listeners = {
    trigger: listener(env, 'HTTP', 3000),
    health: listener(env, 'HEALTH', 8081),
    wire: listener(env, 'SEALWIRE', 8080),
  };
  for (const { name, port } of Object.values(listeners)) {
    if (port !== 0) continue;
    const reason = 'because the other app and the callers need the number in advance';
    throw new Failure(`${name}_PORT is 0; expected a port from 1 to 65535, ${reason}.`);
  }
  return listeners;
}

/** Returns a `Host` that the trigger accepts, whatever the address of the call is. */
export function triggerHost(env) {
  const [first = ''] = (env.HTTP_ALLOWED_HOSTS || 'localhost').split(',');
  return first.trim().replace(/^.*:\/\//, ''); // of an origin
}

/** Returns a call of the trigger with a body of JSON, as a line for a shell. */
export function curlLine(url, path, body, env) {
  const token = env.HTTP_TOKEN ? ' -H "authorization: Bearer $HTTP_TOKEN"' : '';
  const host = env.HTTP_ALLOWED_HOSTS ? ` -H 'host: ${triggerHost(env)}'` : '';
  return `curl -s ${url}${path} -H 'content-type: application/json'${host}${token} -d '${body}'`;
}

function listener(env, name, defaultPort) {
  const host = (env[`${name}_HOST`] || '127.0.0.1').replace(/^\[(.*)\]$/, '$1');
  const port = Number(env[`${name}_PORT`] || defaultPort);
  // An address that listens everywhere is called over loopback.
  const called = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return { name, host, port, url: `http://${called.includes(':') ? `[${called}]` : called}:${port}` };
}

/**
 * Fails if ports are in use, before anything is built or started, and names each of them. A value that is not a port
 * is left to the app, which reports it.
 */
export async function checkPorts({ trigger, health, wire }, env) {
  const wanted = env.SEALWIRE_PATH || env.SEALWIRE_BROKER ? [trigger, health] : [trigger, health, wire];
  // All of them together, so that two settings with the same port are reported as well.
  const held = await Promise.all(wanted.filter(isPossible).map(hold));
  await Promise.all(held.map(({ server }) => once(server.close(), 'close')));
  const complaints = held.flatMap(({ complaint = [] }) => complaint);
  if (complaints.length > 0) throw new Failure(complaints.join(' '));
}

const isPossible = ({ port }) => Number.isInteger(port) && port > 0 && port <= 65_535;

async function hold(wanted) {
  const { host, port } = wanted;
  const server = createServer().listen({ host, port, exclusive: true });
  const complaint = await once(server, 'listening').then(
    () => undefined,
    (error) => explain(error, wanted),
  );
  return { server, complaint };
}

function explain(error, { name, host, port }) {
  const advice = `set another one, for example ${name}_PORT=${port < 60_000 ? port + 1000 : port - 1000}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use: stop the program that listens there, or ${advice}.`;
    case 'EACCES':
      return `This user is not allowed to listen on port ${port} of ${host}: ${advice}.`;
    default:
      // Its value may be a secret that was meant for another variable.
      return `${name}_HOST is not an address of this machine (${error.code}): set another one.`;
  }
}
