// Read by every Node that knows modules, however old: nothing in here is younger than ES2018 but import().

const MINIMUM = '20.19.0'; // "engines" in package.json

/**
 * Runs the `command` of a module, unless this Node is too old for it: that is told in one line. The module is loaded
 * after the check, for an old Node may not even be able to read it.
 *
 * @param {() => Promise<{ command: (stop: AbortSignal) => Promise<number> }>} load
 */
export function launch(load) {
  const version = process.versions.node;
  if (isTooOld(version)) {
    console.error(`Node ${version} is too old for Sealwire: install Node ${MINIMUM} or newer, then run this again.`);
    process.exit(1);
  }
  void Promise.all([import('./command.mjs'), load()]).then(([{ runCommand }, { command }]) => runCommand(command));
}

function isTooOld(version) {
  const found = version.split('.').map(Number);
  const needed = MINIMUM.split('.').map(Number);
  const first = needed.findIndex((part, index) => found[index] !== part);
  return first !== -1 && found[first] < needed[first];
}
