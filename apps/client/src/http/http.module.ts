import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';

import { settings } from '../config/registration.js';
import type { Settings } from '../config/settings.js';
import { callerOf } from './caller.js';
import { CallerLimits } from './caller-limits.js';
import { FailureFilter } from './failure/failure.filter.js';
import { InFlight } from './in-flight.js';

const MINUTE_MS = 60_000;

/** The parts that all routes share: the failure filter, the limits of callers, and the end of calls at a shutdown. */
@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [settings.KEY],
      useFactory: ({ http }: Settings) => [{ ttl: MINUTE_MS, limit: http.requestsAMinute, getTracker: callerOf }],
    }),
  ],
  providers: [
    CallerLimits,
    InFlight,
    { provide: APP_FILTER, useClass: FailureFilter },
    { provide: APP_GUARD, useClass: ThrottlerGuard },
  ],
  exports: [CallerLimits, InFlight],
})
export class HttpModule {}
