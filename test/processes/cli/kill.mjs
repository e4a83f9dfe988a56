// Loaded before the command: kills the process without a chance to clean up, at the call number KILL_AT of file system
// calls that change something, before it has an effect.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const CALLS = [
  'writeFileSync',
  'linkSync',
  'rmSync',
  'openSync',
  'fchmodSync',
  'fsyncSync',
  'closeSync',
  'renameSync',
  'unlinkSync',
];
const { KILL_AT } = process.env;
let calls = 0;
let isArmed = false;

for (const name of CALLS) {
  const real = fs[name];
  fs[name] = (...args) => {
    isArmed ||= name === 'writeFileSync'; // the lock is the first file that the command writes
    if (!isArmed) return real(...args);
    if (++calls === Number(KILL_AT)) process.kill(process.pid, 'SIGKILL');
    return real(...args);
  };
}
syncBuiltinESMExports();
