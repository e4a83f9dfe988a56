import { expectEqual, expectTrue } from './checks.mjs';

// The client app with a key of its own, until it has tried to connect with it.
const FOREIGN_CLIENT = `
  import { createKeyFile } from '@sealwire/crypto';
  await createKeyFile(process.env.SEALWIRE_KEY_FILE);
  await import('/app/apps/client/dist/main.js');
  await fetch('http://127.0.0.1:3000/health');
  process.kill(process.pid, 'SIGTERM');
`;

const LIST_KEYS = "console.log(process.getBuiltinModule('node:fs').readdirSync('/keys').length)";

/** @typedef {import('./trial.mjs').Trial} Trial */

/** @param {Trial} trial */
export async function checkOtherKeys(trial) {
  const { checks } = trial;
  await checks.check('a client with another key says so in one line', async () => {
    const program = ['--input-type=module', '-e', FOREIGN_CLIENT];
    const { code, stdout, stderr } = await runClient(trial, '/tmp/other.bin', program);
    const warnings = linesOf(stdout).filter((line) => !/ LOG \[/.test(line));
    expectTrue(`exit code ${code}: ${stderr}`, code === 0);
    expectTrue(stdout, warnings.length === 1 && /WARN .*Not connected yet.*wrong key/.test(warnings[0]));
  });
  await checks.check('the server says so too, one line each time', async () => {
    await trial.logged('server', /Refused \S+: the client uses a key that this server does not have/);
    const warnings = (await trial.stack.log('server')).filter((line) => !/ LOG \[|has been made/.test(line));
    const others = warnings.filter((line) => !/Refused .*\(ERR_UNKNOWN_KEY\)/.test(line));
    expectEqual('other lines', others, []);
  });
  await checks.check('a client without a key does not start, and says why in one line', async () => {
    const { code, stdout, stderr } = await runClient(trial, '/tmp/none.bin', ['apps/client/dist/main.js']);
    const lines = linesOf(stderr).filter((line) => line.includes('/tmp/none.bin'));
    expectTrue(`exit code ${code}: ${stdout}${stderr}`, code === 1 && stdout === '' && lines.length === 1);
  });
}

/** @param {Trial} trial - of services that are stopped */
export async function checkKeyLife(trial, keyId) {
  const { stack, checks } = trial;
  await checks.check('the key outlives down and up', async () => {
    await stack.run(['down']);
    await trial.up();
    expectEqual('key id', (await trial.firstReceipt()).keyId, keyId);
    const log = await stack.log('server');
    expectEqual(
      'made again',
      log.filter((line) => line.includes('has been made')),
      [],
    );
  });
  await checks.check('down -v removes the key', async () => {
    await stack.run(['down', '-v']);
    const flags = ['--rm', '-T', '--no-deps', '--entrypoint', 'node'];
    const files = await stack.run(['run', ...flags, 'server', '-e', LIST_KEYS]);
    expectEqual('files in a new volume', files.trim(), '0');
  });
}

/** @param {Trial} trial */
function runClient({ stack }, keyFile, args) {
  const flags = ['--rm', '-T', '--no-deps', '-e', `SEALWIRE_KEY_FILE=${keyFile}`, '--entrypoint', 'node'];
  return stack.attempt(['run', ...flags, 'client', ...args]);
}

function linesOf(text) {
  return text.split('\n').filter((line) => line !== '');
}
