import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';

import { generateKey, Keyring, SecretKey } from '../../libs/crypto/src/index.js';
import { LogLines } from '../support/legacy.js';
import { endAll } from '../support/pair.js';
import { describeEverything } from '../support/secret-dumps.js';
import { findSecrets, formsOf } from '../support/secret-forms.js';

afterEach(async () => {
  await endAll();
  Logger.overrideLogger(false);
});

describe('a key', () => {
  it('is in no dump of an object, no JSON, no error and no line of the log, in whatever form', async () => {
    const log = new LogLines();
    Logger.overrideLogger(log);
    const file = generateKey();
    const key = SecretKey.fromBytes(file);
    const dumps = await describeEverything(Keyring.of(key), file);
    const secrets = { file, firstHalf: file.subarray(0, 16), psk: key.psk(), envelopeRoot: key.envelopeRoot() };
    expect(dumps.some((dump) => dump.includes(key.id))).toBe(true);
    expect(findSecrets([...dumps, ...log.lines], secrets)).toEqual([]);
  });

  it('would be found in each of the forms that are searched for', () => {
    const control = generateKey();
    for (const [form, text] of Object.entries(formsOf(control))) {
      expect(findSecrets(['nothing', `before ${text} behind`], { control })).toContain(`control (${form})`);
    }
    expect(findSecrets(['nothing'], { control })).toEqual([]);
  });
});
