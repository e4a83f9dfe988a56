// Everything that docker-compose.yml promises, one promise a test, in this order: later ones stop and remove the stack.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  attempt,
  compose,
  type Ended,
  firstReceipt,
  get,
  linesOf,
  Messages,
  port,
  type Receipt,
  readLog,
  send,
  START_TIMEOUT_MS,
  up,
} from './stack.js';

const BUILD_TIMEOUT_MS = 240_000;
const STOP_TIMEOUT_MS = 60_000; // of a busy machine; that nothing was killed shows in the exit codes
const CONNECT_TIMEOUT_MS = 1000;
const SPREAD_TIMEOUT_MS = 60_000;
const AT_ONCE = 8;
const TEXT = 'Grüße, €5 {"text":1}';
const TEXT_BYTES = 24;

let startState: string;
let first: Receipt;

beforeAll(async () => {
  await compose(['build'], BUILD_TIMEOUT_MS);
  const startedAtMs = performance.now();
  await up();
  startState = await compose(['ps', 'server']);
  first = await firstReceipt();
  console.log(`${((performance.now() - startedAtMs) / 1000).toFixed(1)} s from up to the first answer`);
});

const LOG = { timeout: 5000 };
const serverLog = (): Promise<readonly string[]> => readLog('server');
const isWarning = (line: string): boolean =>
  /\b(?:WARN|ERROR|FATAL)\b/.test(line) && !line.includes('has been created');

describe('the stack', () => {
  it('answers the first message with a receipt', () => {
    expect(first).toMatchObject({ text: 'Hello Server!', bytes: 13, keyId: expect.stringMatching(/^[0-9a-f]{16}$/) });
  });

  it('starts the client when the server is healthy', () => {
    expect(startState).toContain('(healthy)');
  });

  it('has two healthy services', async () => {
    const healthy = async () => (await compose(['ps'])).match(/\(healthy\)/g);
    await expect.poll(healthy, { timeout: START_TIMEOUT_MS }).toHaveLength(2);
  });

  it('answers a text with a receipt of its bytes', async () => {
    const receivedAt: unknown = expect.any(String);
    expect(await send('/messages', { text: TEXT })).toEqual({
      text: TEXT,
      bytes: TEXT_BYTES,
      keyId: first.keyId,
      receivedAt,
      server: first.server,
    });
  });

  it('sends an echo back as it came', async () => {
    const value = [1, 'two', { three: null }];
    expect(await send('/send/echo', value)).toEqual(value);
  });

  it('passes on a whole stream', async () => {
    const query = encodeURIComponent(JSON.stringify({ from: 3, intervalMs: 1 }));
    const { status, text } = await get(`/stream/countdown?data=${query}`);
    const values = [...text.matchAll(/^data: ?(\d+)$/gm)].map((match) => Number(match[1]));
    expect([status, ...values]).toEqual([200, 3, 2, 1, 0]);
    expect(text).toContain('event: complete');
  });

  it('publishes the trigger on 127.0.0.1 alone', async () => {
    expect((await compose(['port', 'client', '3000'])).trim()).toBe(`127.0.0.1:${port}`);
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    for (const { internal, family, address } of addresses)
      if (!internal && family === 'IPv4') expect(await canConnect(address), address).toBe(false);
  });

  it('does not publish the server', async () => {
    for (const inside of ['8080', '8081'])
      expect((await attempt(['port', 'server', inside])).stdout).not.toMatch(/:[1-9]/);
  });
});

function canConnect(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: CONNECT_TIMEOUT_MS });
    const end = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false));
  });
}

describe('the log', () => {
  it('says that the server made the key', async () => {
    await expect
      .poll(serverLog, LOG)
      .toContainEqual(
        expect.stringMatching(
          new RegExp(`/keys/aes_key\\.bin was missing and has been created, key id ${first.keyId}`),
        ),
      );
  });

  it('shows in hex what the server received, and what it decrypted', async () => {
    await expect
      .poll(serverLog, LOG)
      .toContainEqual(expect.stringMatching(/Received, encrypted \(82 bytes\): [0-9a-f]{128}…$/));
    await expect.poll(serverLog, LOG).toContainEqual(expect.stringMatching(/Decrypted: Hello Server!$/));
    await expect.poll(serverLog, LOG).toContainEqual(expect.stringMatching(/Decrypted: Grüße, €5 \{"text":1\}$/));
  });

  it('has the key id of both services, and no warning except of the new key', async () => {
    const lines = [...(await serverLog()), ...(await readLog('client'))];
    const keyIds = lines.flatMap((line) => /Ready .*keyId: '(\w+)'/.exec(line)?.[1] ?? []);
    expect(keyIds).toEqual([first.keyId, first.keyId]);
    expect(lines.filter(isWarning)).toEqual([]);
  });
});

interface Report {
  readonly processes: readonly {
    readonly uid: string;
    readonly capabilities: number;
    readonly noNewPrivileges: boolean;
  }[];
  readonly limits: object;
  readonly tools: readonly string[];
  readonly firstProcess: string;
  readonly written: Readonly<Record<string, string>>;
  readonly directory: object;
  readonly keyFile: object;
}

describe.each([
  ['server', 'written'],
  ['client', 'EROFS'],
])('the container of the %s', (service, besideKey) => {
  let report: Report;

  beforeAll(async () => {
    const program = readFileSync(new URL('report.mjs', import.meta.url), 'utf8');
    const printed = await compose(['exec', '-T', service, 'node', '--input-type=module', '-e', program]);
    report = JSON.parse(printed) as Report;
  });

  it('runs all processes as uid 1000, under an init process', () => {
    expect(new Set(report.processes.map(({ uid }) => uid))).toEqual(new Set(['1000']));
    expect(report.firstProcess).toContain('init');
  });

  it('has no capabilities and gains none', () => {
    for (const each of report.processes) expect(each).toMatchObject({ capabilities: 0, noNewPrivileges: true });
  });

  it('has limits of memory, processes and cores, and leaves no core dump', () => {
    expect(report.limits).toEqual({ memoryMiB: 512, pids: 128, cpus: 1, core: '0 0' });
  });

  it('has no npm, nor another package manager', () => {
    expect(report.tools).toEqual([]);
  });

  it(`has a read-only root and a /tmp; an attempt to write beside the key ends with ${besideKey}`, () => {
    expect(report.written).toEqual({ '/': 'EROFS', '/app': 'EROFS', '/tmp': 'written', '/keys': besideKey });
  });

  it('finds the key with mode 0600 in a directory with mode 0700', () => {
    expect(report.directory).toEqual({ uid: 1000, mode: '700' });
    expect(report.keyFile).toEqual({ uid: 1000, mode: '600' });
  });
});

// The client app with a key of its own, until it has tried to connect with it.
const FOREIGN_CLIENT = `
  import { createKeyFile } from '@sealwire/crypto';
  await createKeyFile(process.env.SEALWIRE_KEY_FILE);
  await import('/app/apps/client/dist/main.js');
  await fetch('http://127.0.0.1:3000/health');
  process.kill(process.pid, 'SIGTERM');
`;

function runClient(keyFile: string, args: readonly string[]): Promise<Ended> {
  const flags = ['--rm', '-T', '--no-deps', '-e', `SEALWIRE_KEY_FILE=${keyFile}`, '--entrypoint', 'node'];
  return attempt(['run', ...flags, 'client', ...args]);
}

describe('a client with another key', () => {
  it('logs one warning of it', async () => {
    const { code, stdout, stderr } = await runClient('/tmp/other.bin', ['--input-type=module', '-e', FOREIGN_CLIENT]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const warnings = linesOf(stdout).filter((line) => !/ LOG \[/.test(line));
    expect(warnings).toEqual([expect.stringMatching(/WARN .*Not connected yet.*the key or the service name differs/)]);
  });

  it('is refused by the server, which logs one line each time', async () => {
    await expect
      .poll(serverLog, LOG)
      .toContainEqual(expect.stringMatching(/Refused \S+: the client uses a key that this server does not have/));
    const warnings = (await serverLog()).filter((line) => !/ LOG \[|has been created/.test(line));
    expect(warnings.filter((line) => !/Refused .*\(ERR_UNKNOWN_KEY\)/.test(line))).toEqual([]);
  });
});

it('a client without a key does not start, and says why in one line', async () => {
  const { code, stdout, stderr } = await runClient('/tmp/none.bin', ['apps/client/dist/main.js']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(linesOf(stderr).filter((line) => line.includes('/tmp/none.bin'))).toHaveLength(1);
});

const serversOf = (receipts: readonly Receipt[]): ReadonlySet<string> => new Set(receipts.map(({ server }) => server));

describe('the stack with --scale', () => {
  it('spreads messages over three servers within a minute, and none fails when two of them are stopped', async () => {
    const messages = new Messages(AT_ONCE);
    const startedAtMs = performance.now();
    await up(3);
    const spread = () => serversOf(messages.receipts).size;
    await expect.poll(spread, { timeout: SPREAD_TIMEOUT_MS, interval: 500 }).toBe(3);
    console.log(`${((performance.now() - startedAtMs) / 1000).toFixed(1)} s from up to answers of three servers`);
    await up(1);
    const { length } = messages.receipts;
    await expect
      .poll(() => messages.receipts.length, { timeout: START_TIMEOUT_MS })
      .toBeGreaterThan(length + 2 * AT_ONCE);
    await messages.stop();
    expect(messages.failures).toEqual([]);
    expect(serversOf(messages.receipts.slice(length + AT_ONCE)).size).toBe(1);
  });

  it('starts with three servers that make one key together', async () => {
    await compose(['down', '-v']);
    await up(3);
    const receipts: Receipt[] = [];
    const spread = async () => {
      receipts.push((await send('/messages')) as Receipt);
      return serversOf(receipts).size;
    };
    await firstReceipt();
    await expect.poll(spread, { timeout: SPREAD_TIMEOUT_MS }).toBe(3);
    expect(new Set(receipts.map(({ keyId }) => keyId)).size).toBe(1);
    expect((await serverLog()).filter((line) => line.includes('has been created'))).toHaveLength(1);
    first = receipts[0] ?? first;
    await up(1);
  });
});

describe('the life of the stack', () => {
  it('goes on after a restart of the server', async () => {
    await compose(['restart', 'server'], START_TIMEOUT_MS);
    expect((await firstReceipt()).keyId).toBe(first.keyId);
  });

  it('ends with both services stopped by themselves, with exit code 0', async () => {
    const startedAtMs = performance.now();
    await compose(['stop']);
    expect(performance.now() - startedAtMs).toBeLessThan(STOP_TIMEOUT_MS);
    expect((await compose(['ps', '-a'])).match(/Exit(?:ed)? \(?0\b/g)).toHaveLength(2);
  });

  it('keeps the key through down and up', async () => {
    await compose(['down']);
    await up();
    expect((await firstReceipt()).keyId).toBe(first.keyId);
    expect((await serverLog()).filter((line) => line.includes('has been created'))).toEqual([]);
  });

  it('loses the key with down -v', async () => {
    await compose(['down', '-v']);
    const program = "console.log(process.getBuiltinModule('node:fs').readdirSync('/keys').length)";
    const flags = ['--rm', '-T', '--no-deps', '--entrypoint', 'node'];
    expect((await compose(['run', ...flags, 'server', '-e', program])).trim()).toBe('0');
  });
});
