// Files of one record in a line, which are complete up to the moment when a process is killed.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** Appends by one call of the system, so that a record is there as a whole or not at all. */
export function append(file, record) {
  appendFileSync(file, `${JSON.stringify(record)}\n`);
}

export function read(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}
