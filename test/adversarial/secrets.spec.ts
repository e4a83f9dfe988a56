import { format } from 'node:util';

import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { generateKey, Keyring, SecretKey } from '../../libs/crypto/src/index.js';
import { LogLines } from '../support/legacy.js';
import { endAll } from '../support/pair.js';
import { describeEverything } from '../support/secret-dumps.js';
import { findSecrets, findSecretsInOutput, formsOf } from '../support/secret-forms.js';

afterEach(async () => {
  await endAll();
  vi.restoreAllMocks();
  Logger.overrideLogger(false);
});

/** The output that bypasses the logger, from here on. */
function watchOutput(): Buffer[] {
  const output: Buffer[] = [];
  const write = (chunk: unknown): boolean => {
    output.push(chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.from(String(chunk)));
    return true;
  };
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(write);
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => void write(format(...parts)));
  }
  return output;
}

describe('a key', () => {
  it('is in no dump of an object, no JSON, no error and no output, in any form', async () => {
    const output = watchOutput();
    const log = new LogLines();
    Logger.overrideLogger(log);
    const file = generateKey();
    const key = SecretKey.fromBytes(file);
    const dumps = await describeEverything(Keyring.of(key), file);
    const secrets = { file, firstHalf: file.subarray(0, 16), psk: key.psk() };
    expect(dumps.some((dump) => dump.includes(key.id))).toBe(true);
    expect(findSecrets([...dumps, ...log.lines], secrets)).toEqual([]);
    console.log('planted', Buffer.from(file));
    process.stdout.write(file);
    expect(findSecretsInOutput(output.splice(-2), secrets)).toEqual(
      expect.arrayContaining(['file (hex as Node prints a Buffer)', 'file (bytes)']),
    );
    expect(findSecretsInOutput(output, secrets)).toEqual([]);
  });

  it('would be found in each of the forms that are searched for', () => {
    const control = generateKey();
    for (const [form, text] of Object.entries(formsOf(control))) {
      expect(findSecrets(['nothing', `before ${text} behind`], { control })).toContain(`control (${form})`);
    }
    expect(findSecrets(['nothing'], { control })).toEqual([]);
  });
});
