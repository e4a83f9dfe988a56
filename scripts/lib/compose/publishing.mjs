import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expectEqual, expectTrue } from './checks.mjs';

const CONNECT_TIMEOUT_MS = 1000;

/** @param {import('./trial.mjs').Trial} trial */
export async function checkPublishing({ stack, checks }) {
  await checks.check('the trigger is published on 127.0.0.1 alone', async () => {
    expectEqual('published', (await stack.run(['port', 'client', '3000'])).trim(), `127.0.0.1:${stack.port}`);
    for (const address of addressesOfHost()) {
      expectTrue(`${address} takes connections`, !(await canConnect(address, stack.port)));
    }
  });
  await checks.check('the server is not published', async () => {
    for (const port of ['8080', '8081']) {
      const { stdout } = await stack.attempt(['port', 'server', port]);
      expectTrue(`published: ${stdout}`, !/:[1-9]/.test(stdout));
    }
  });
}

function addressesOfHost() {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return interfaces.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address);
}

function canConnect(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const end = (isOpen) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
