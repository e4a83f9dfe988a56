import { describe, expect, it } from 'vitest';

import { checkKeyFile } from './policy.js';
import type { FilePolicy } from './policy.js';

const USER = 1000;
const OTHER = 1001;
const ROOT = 0;
const REGULAR = 0o100000;

const judge = (
  policy: FilePolicy,
  uid: number,
  mode: number | string,
  { size = 32, file = true, user = USER } = {},
) => {
  try {
    checkKeyFile(
      '/k',
      { isFile: () => file, mode: REGULAR | Number(typeof mode === 'string' ? `0o${mode}` : mode), size, uid },
      policy,
      user,
    );
    return 'accepted';
  } catch (error) {
    return error;
  }
};

describe('the policy strict', () => {
  it.each(['600', '400', '700', '500', '200'])('accepts a file of this user with mode %s', (mode) => {
    expect(judge('strict', USER, mode)).toBe('accepted');
  });

  it('refuses each bit for group and others on a file of this user', () => {
    for (const bit of [0o001, 0o002, 0o004, 0o010, 0o020, 0o040]) {
      expect(judge('strict', USER, 0o600 | bit), `bit ${bit.toString(8)}`).toMatchObject({ code: 'ERR_KEY_FILE_MODE' });
    }
  });

  it.each(['600', '400', '440', '640'])('accepts a file of root with mode %s', (mode) => {
    expect(judge('strict', ROOT, mode)).toBe('accepted');
    expect(judge('strict', ROOT, mode, { user: ROOT })).toBe('accepted');
  });

  it('refuses every bit except reading by the group on a file of root', () => {
    for (const bit of [0o001, 0o002, 0o004, 0o010, 0o020]) {
      expect(judge('strict', ROOT, 0o640 | bit), `bit ${bit.toString(8)}`).toMatchObject({ code: 'ERR_KEY_FILE_MODE' });
    }
  });

  it('refuses a file of another user, also to root', () => {
    expect(judge('strict', OTHER, 0o600)).toMatchObject({ code: 'ERR_KEY_FILE_OWNER' });
    expect(judge('strict', OTHER, 0o600, { user: ROOT })).toMatchObject({ code: 'ERR_KEY_FILE_OWNER' });
  });

  it('suggests to root the owner of the file as the user of the program, and to others a change by root', () => {
    const toRoot = judge('strict', OTHER, 0o600, { user: ROOT });
    expect(toRoot).toMatchObject({ message: expect.stringMatching(/expected root: run the program as user 1001, or/) });
    const toUser = expect.stringMatching(/expected this user \(1000\) or root: .*let root .*\(chown 1000 \/k\)/);
    expect(judge('strict', OTHER, 0o600)).toMatchObject({ message: toUser });
  });

  it('reports the mode and the remedy', () => {
    const message = expect.stringMatching(/mode 0644.*chmod 600 \/k/);
    expect(judge('strict', USER, 0o644)).toMatchObject({ message });
  });
});

describe('the policy mounted-secret', () => {
  it.each(['444', '644', '640', '440', '600', '400'])('accepts mode %s', (mode) => {
    expect(judge('mounted-secret', ROOT, mode)).toBe('accepted');
    expect(judge('mounted-secret', USER, mode)).toBe('accepted');
  });

  it('refuses writing and running by group and others', () => {
    for (const bit of [0o001, 0o002, 0o010, 0o020]) {
      expect(judge('mounted-secret', ROOT, 0o444 | bit), `bit ${bit.toString(8)}`).toMatchObject({
        code: 'ERR_KEY_FILE_MODE',
      });
    }
  });

  it('refuses a file of another user', () => {
    expect(judge('mounted-secret', OTHER, 0o444)).toMatchObject({ code: 'ERR_KEY_FILE_OWNER' });
  });
});

describe('the policy legacy', () => {
  it.each([33, 64, 65_536])('refuses a file of %i bytes, because the legacy wire has no keyrings', (size) => {
    expect(judge('legacy', USER, 0o600, { size })).toMatchObject({ code: 'ERR_KEY_FILE_LENGTH' });
  });

  it.each(['600', '644', '664', '666', '777'])('accepts mode %s', (mode) => {
    expect(judge('legacy', ROOT, mode)).toBe('accepted');
    expect(judge('legacy', USER, mode)).toBe('accepted');
  });

  it('refuses a file of another user', () => {
    expect(judge('legacy', OTHER, 0o600)).toMatchObject({ code: 'ERR_KEY_FILE_OWNER' });
  });
});

describe('the policy edited', () => {
  it('recommends no other policy', () => {
    expect(judge('edited', USER, 0o644)).toMatchObject({ message: expect.stringMatching(/chmod 600 \/k$/) });
    expect(judge('edited', USER, 0o600)).toBe('accepted');
    expect(judge('edited', ROOT, 0o640)).toBe('accepted');
  });
});

describe.each(['strict', 'mounted-secret', 'edited', 'legacy'] as const)('the policy %s', (policy) => {
  it('refuses everything except a regular file', () => {
    expect(judge(policy, USER, 0o600, { file: false })).toMatchObject({ code: 'ERR_KEY_FILE_NOT_REGULAR' });
  });

  it.each([0, 16, 31, 65_537])('refuses a file of %i bytes', (size) => {
    expect(judge(policy, USER, 0o600, { size })).toMatchObject({
      code: 'ERR_KEY_FILE_LENGTH',
      message: expect.stringContaining(`${size} bytes`),
    });
  });

  it('checks only kind and length if files have no owner and no mode', () => {
    const file = { isFile: () => true, mode: REGULAR | 0o666, size: 32, uid: 7 };
    expect(() => checkKeyFile('/k', file, policy, undefined)).not.toThrow();
    expect(() => checkKeyFile('/k', { ...file, size: 31 }, policy, undefined)).toThrow(
      expect.objectContaining({ code: 'ERR_KEY_FILE_LENGTH' }),
    );
  });
});
