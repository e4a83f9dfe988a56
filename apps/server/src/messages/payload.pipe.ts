import { StandardSchemaValidationPipe } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';

/** Checks what handlers declare with `@Payload({ schema })`. What is wrong with a payload is told to the caller. */
export class PayloadPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({
      exceptionFactory: (issues) => {
        const complaints = issues.map(({ path, message }) => [...(path ?? []).map(nameOf), message].join(': '));
        return new RpcException({ statusCode: 400, message: `The payload was refused: ${complaints.join('; ')}` });
      },
    });
  }
}

function nameOf(segment: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof segment === 'object' ? segment.key : segment);
}
