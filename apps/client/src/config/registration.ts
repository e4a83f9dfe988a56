import { registerAs } from '@nestjs/config';

import { parseSettings } from './settings.js';

/** The settings of this app: inject them by `settings.KEY`. */
export const settings = registerAs('client', () => parseSettings(process.env));
