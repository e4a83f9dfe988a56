import { Controller } from '@nestjs/common';
import { MessagePattern, Payload, RpcException } from '@nestjs/microservices';

@Controller()
export class SumsController {
  @MessagePattern('sum')
  sum(@Payload() terms: number[]): number {
    return terms.reduce((sum, term) => sum + term, 0);
  }

  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }

  @MessagePattern('refuse')
  refuse(): never {
    throw new RpcException({ statusCode: 404, message: 'no such order' });
  }
}
