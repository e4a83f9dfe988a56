// `npm run` calls `node scripts/run.mjs NAME …`, which runs the command of commands/NAME.mjs. A Node that is too old is
// refused in one line, so any Node that has modules must be able to read this file: except import(), it is ES2018.

const MINIMUM = '20.19.0'; // "engines" in package.json

function isTooOld(version) {
  const found = version.split('.').map(Number);
  const needed = MINIMUM.split('.').map(Number);
  const first = needed.findIndex((part, index) => found[index] !== part);
  return first !== -1 && found[first] < needed[first];
}

const version = process.versions.node;
if (isTooOld(version)) {
  console.error(`Node ${version} is too old for Sealwire: install Node ${MINIMUM} or newer, then run this again.`);
  process.exit(1);
}
const [name] = process.argv.splice(2, 1);
void import('./lib/command.mjs').then(({ runCommand }) => runCommand(name));
