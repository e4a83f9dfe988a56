import { Controller, Logger } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { map, take, tap, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import { z } from 'zod';

const countdownSchema = z.object({
  from: z.int().min(0).max(1_000_000).default(3),
  intervalMs: z.int().min(0).max(60_000).default(1_000),
});

type Countdown = z.infer<typeof countdownSchema>;

/** `countdown`: an answer of many values. It stops when the caller cancels. */
@Controller()
export class CountdownController {
  readonly #logger = new Logger(CountdownController.name);

  @MessagePattern('countdown')
  countDown(@Payload({ schema: countdownSchema }) { from, intervalMs }: Countdown): Observable<number> {
    return timer(0, intervalMs).pipe(
      map((passed) => from - passed),
      take(from + 1),
      tap({ unsubscribe: () => this.#logger.log('A countdown was cancelled') }),
    );
  }
}
