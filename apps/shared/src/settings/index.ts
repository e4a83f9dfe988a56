// Imports nothing of Nest: the settings are checked before Nest is loaded, which takes most of the time of a start.
export { flag, host, port, remotePort, wholeNumber, withoutBrackets } from './fields.js';
export { commonSettings, commonVariables } from './common-settings.js';
export type { CommonSettings } from './common-settings.js';
export { parseEnvironment } from './parse-environment.js';
export { checkSettings } from './settings-check.js';
export { StartError } from './start-error.js';
