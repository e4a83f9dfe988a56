// Loaded before the command: kills the process without a chance to clean up, at the call number KILL_AT of file system
// calls that change something. KILL_WHEN is "before" or "after" the call.
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
const { KILL_AT, KILL_WHEN } = process.env;
let calls = 0;
let isArmed = false;

for (const name of CALLS) {
  const real = fs[name];
  fs[name] = (...args) => {
    isArmed ||= name === 'writeFileSync'; // the lock is the first file that the command writes
    if (!isArmed) return real(...args);
    const isLast = ++calls === Number(KILL_AT);
    if (isLast && KILL_WHEN === 'before') process.kill(process.pid, 'SIGKILL');
    const result = real(...args);
    if (isLast) process.kill(process.pid, 'SIGKILL');
    return result;
  };
}
syncBuiltinESMExports();
