import { Controller, Inject, Injectable, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { ClientProxy, ClientsModule, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { SealwireClient } from '@sealwire/transport';
import type { SealwireClientOptions } from '@sealwire/transport';
import { lastValueFrom, toArray } from 'rxjs';

@Controller()
export class SumsController {
  readonly notes: string[] = [];

  @MessagePattern('sum')
  sum(@Payload() terms: readonly number[]): number {
    return terms.reduce((sum, term) => sum + term, 0);
  }

  @MessagePattern('count')
  async *count(@Payload() end: number): AsyncGenerator<number> {
    for (let value = 1; value <= end; value += 1) yield value;
  }

  @EventPattern('noted')
  note(@Payload() text: string): void {
    this.notes.push(text);
  }
}

@Module({ controllers: [SumsController] })
export class SumsModule {}

@Injectable()
export class Caller {
  constructor(@Inject('SUMS') private readonly sums: ClientProxy) {}

  sum(terms: readonly number[]): Promise<number> {
    return lastValueFrom(this.sums.send<number>('sum', terms));
  }

  count(end: number): Promise<readonly number[]> {
    return lastValueFrom(this.sums.send<number>('count', end).pipe(toArray()));
  }

  async note(text: string): Promise<void> {
    await lastValueFrom(this.sums.emit('noted', text), { defaultValue: undefined });
  }
}

@Module({})
export class CallerModule {
  static with(options: SealwireClientOptions): DynamicModule {
    const clients = ClientsModule.register([{ name: 'SUMS', customClass: SealwireClient, options }]);
    return { module: CallerModule, imports: [clients], providers: [Caller] };
  }
}
