import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';

/** `echo`: answers with its payload, JSON or bytes. */
@Controller()
export class EchoController {
  @MessagePattern('echo')
  echo(@Payload() payload: unknown): unknown {
    return payload;
  }
}
