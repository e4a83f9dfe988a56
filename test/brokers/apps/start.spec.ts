// `npm start -- --broker nats`, as a user meets it, with ports and a key file of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { post } from '../../support/http-call.js';
import { ROOT, ScriptRun } from '../../processes/scripts/script-run.js';
import { freePorts } from '../../support/free-ports.js';
import { isMissing, skipNote } from '../engines/engine.js';
import { NATS } from '../engines/nats.js';

const SCRIPT = [join(ROOT, 'scripts/run.mjs'), 'start', '--broker'];

let directory: string;
let env: Record<string, string>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sealwire-start-'));
  env = { ...(await freePorts('HTTP_PORT', 'HEALTH_PORT')), SEALWIRE_KEY_FILE: join(directory, 'aes_key.bin') };
});

afterEach(() => rm(directory, { recursive: true }));

describe('npm start --broker', () => {
  it.skipIf(isMissing(NATS))(
    `sends the first message through a NATS server that it starts${skipNote(NATS)}`,
    async () => {
      const run = new ScriptRun([...SCRIPT, 'nats'], env);
      await run.printed('Ctrl-C');
      expect(run.stdout).toContain('Decrypted: Hello Server!');
      expect(run.stdout).toMatch(/nats:\/\/127\.0\.0\.1:\d+/);
      expect(await post(`http://127.0.0.1:${env['HTTP_PORT']}/messages`, { text: 'again' })).toMatchObject({
        status: 200,
      });
      run.signal('SIGINT');
      expect(await run.end()).toMatchObject({ status: 0 });
    },
  );

  it('refuses another broker', async () => {
    const run = new ScriptRun([...SCRIPT, 'kafka'], env);
    expect(await run.end()).toMatchObject({ status: 1 });
    expect(run.stderr).toContain('--broker is kafka; expected nats');
  });
});
