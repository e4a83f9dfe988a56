import { complainOfSettings } from './config/settings-check.js';

// First of all: what is wrong with a setting is said before Nest is loaded, which takes most of the time of a start.
const complaint = complainOfSettings();
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exit(1);
}
await import('./run.js');
