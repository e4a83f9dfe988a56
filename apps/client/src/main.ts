import { reloadSignal } from '@sealwire/app/reload-signal';

reloadSignal.install(); // before everything else is loaded, because SIGHUP ends the process until then
const { checkSettings } = await import('@sealwire/app/settings');
const { parseSettings } = await import('./config/settings.js');

checkSettings(parseSettings); // before Nest is loaded, which takes most of the time of a start
await import('./run.js');
