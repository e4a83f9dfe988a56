// `npm start`, as a user meets it. It runs where it stands, with ports and a key file of its own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../support/free-ports.js';
import { post } from '../../support/http-call.js';
import { ROOT, ScriptRun } from './script-run.js';

const SCRIPT = [join(ROOT, 'scripts/run.mjs'), 'start'];
const TIMEOUT_MS = 90_000; // it builds where something was changed

type Settings = Record<'HTTP_PORT' | 'HEALTH_PORT' | 'SEALWIRE_PORT' | 'SEALWIRE_KEY_FILE', string>;

let directory: string;
let env: Settings;
let run: ScriptRun | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealwire-start-'));
  env = await settingsIn(directory);
});

afterEach(async () => {
  run?.signal('SIGTERM');
  await run?.end();
  run = undefined;
  await rm(directory, { recursive: true });
});

async function settingsIn(folder: string): Promise<Settings> {
  const ports = await freePorts('HTTP_PORT', 'HEALTH_PORT', 'SEALWIRE_PORT');
  return { ...ports, SEALWIRE_KEY_FILE: join(folder, 'aes_key.bin') };
}

function start(changed: Readonly<Record<string, string>> = {}): ScriptRun {
  run = new ScriptRun(SCRIPT, { ...env, ...changed });
  return run;
}

/** The process id in a log line of an app. */
function pidOf(app: string, stdout: string): number {
  return Number(new RegExp(`^\\[${app}\\] (\\d+)`, 'm').exec(stdout)?.[1]);
}

const isGone = (pid: number) => {
  expect(() => process.kill(pid, 0)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
};

describe('npm start', { timeout: TIMEOUT_MS }, () => {
  it('sends a first message, shows both sides of it, continues, and ends both apps when interrupted', async () => {
    const pair = start();
    await pair.printed('Ctrl-C');
    expect(pair.stdout).toMatch(/Received, encrypted \(\d+ bytes\): [0-9a-f]{64}/);
    expect(pair.stdout).toContain('Decrypted: Hello Server!');
    expect(pair.stdout).toMatch(/Answer:\n {2}\{"text":"Hello Server!","bytes":13,/);
    expect(pair.stdout).toMatch(/First answer: +\d+\.\d s after the start/);
    expect(pair.stdout).toContain(`curl -s http://127.0.0.1:${env.HTTP_PORT}/messages `);

    const more = await post(`http://127.0.0.1:${env.HTTP_PORT}/messages`, { text: 'one more' });
    expect(more.json).toMatchObject({ text: 'one more' });
    await pair.printed('Decrypted: one more');

    pair.signal('SIGINT');
    expect(await pair.end()).toMatchObject({ status: 0, stderr: '' });
    for (const app of ['server', 'client']) isGone(pidOf(app, pair.stdout));
  });

  it('refuses ports in use in one line that names the setting of each, before any other step', async () => {
    const settings = ['HTTP_PORT', 'HEALTH_PORT'] as const;
    const servers = settings.map((name) => createServer().listen(Number(env[name]), '127.0.0.1'));
    await Promise.all(servers.map((server) => once(server, 'listening')));
    try {
      const complaints = settings.map((name) => `Port ${env[name]} on 127\\.0\\.0\\.1 is in use: .* ${name}=\\d+\\.`);
      expect(await start().end()).toEqual({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(new RegExp(`^${complaints.join(' ')}\n$`)),
      });
    } finally {
      for (const server of servers) server.close();
    }
  });

  it('refuses two settings with the same port', async () => {
    const { status, stderr } = await start({ HEALTH_PORT: env.HTTP_PORT }).end();
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^Port \d+ on .* is in use: .*\n$/),
    });
  });

  it('passes on the one line of an app that cannot start', async () => {
    await writeFile(env.SEALWIRE_KEY_FILE, 'too short', { mode: 0o600 });
    const { status, stderr } = await start().end();
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^SEALWIRE_KEY_FILE: .* 9 bytes.*\n$/),
    });
  });

  it('passes on that line alone if Node warns as well', async () => {
    const warns = `data:text/javascript,process.emitWarning('old')`;
    const { stderr } = await start({ SEALWIRE_PORT: 'many', NODE_OPTIONS: `--import "${warns}"` }).end();
    const lines = stderr.split('\n').filter((line) => !line.startsWith('('));
    expect(lines).toEqual([expect.stringMatching(/^SEALWIRE_PORT must be /), '']);
  });

  it('passes on all that an app printed that ended without a line of its own, then says which app ended', async () => {
    const fails = `if (process.argv[1].includes('server')) throw new TypeError('not foreseen', { cause: 7 })`;
    const options = `--import "data:text/javascript,${encodeURIComponent(fails)}"`;
    const { status, stderr } = await start({ NODE_OPTIONS: options }).end();
    expect(status).toBe(1);
    expect(stderr).toMatch(/^TypeError: not foreseen\n(?: +at .*\n)+ +\[cause\]: 7$/m);
    expect(stderr).toMatch(/\nThe server app ended \(exit code 1\): see its output, then try again\.\n$/);
  });

  it('passes an invalid port to the app, which names it', async () => {
    const { status, stderr } = await start({ SEALWIRE_PORT: 'many' }).end();
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^SEALWIRE_PORT must be .*\n$/) });
  });
});

describe('npm start with HTTP_ALLOWED_HOSTS', { timeout: TIMEOUT_MS }, () => {
  let folder: string;
  let settings: Settings;
  let pair: ScriptRun;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealwire-start-'));
    settings = await settingsIn(folder);
    pair = new ScriptRun(SCRIPT, { ...settings, HTTP_ALLOWED_HOSTS: 'https://a.example, b.example' });
    await pair.printed('Ctrl-C');
  }, TIMEOUT_MS);

  afterAll(async () => {
    pair.signal('SIGTERM');
    await pair.end();
    await rm(folder, { recursive: true });
  });

  it('calls the trigger by a Host that it accepts', () => {
    expect(pair.stdout).toContain('Decrypted: Hello Server!');
    expect(pair.stdout).toContain(` -H 'host: a.example' `);
  });

  it('reports in one line that an app ended, without a word of its log, and ends the other', async () => {
    const headers = { host: 'a.example' };
    await post(`http://127.0.0.1:${settings.HTTP_PORT}/messages`, { text: 'confidential' }, { headers });
    await pair.printed('Decrypted: confidential');
    process.kill(pidOf('server', pair.stdout), 'SIGKILL');
    const { status, stdout, stderr } = await pair.end();
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'The server app ended (SIGKILL): see its output, then try again.\n',
    });
    isGone(pidOf('client', stdout));
  });
});
