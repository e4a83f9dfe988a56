import { checkSettings } from '@sealwire/app/settings';

import { parseSettings } from './config/settings.js';

checkSettings(parseSettings); // before Nest is loaded, which takes most of the time of a start
await import('./run.js');
