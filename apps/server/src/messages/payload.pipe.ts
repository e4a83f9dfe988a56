import { StandardSchemaValidationPipe } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';

/** As many complaints as a caller needs; each element of a payload can cause one. */
const MAX_COMPLAINTS = 10;

/** Checks what handlers declare with `@Payload({ schema })`. What is wrong with a payload is told to the caller. */
export class PayloadPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({
      exceptionFactory: (issues) => {
        const complaints = issues
          .slice(0, MAX_COMPLAINTS)
          .map(({ path, message }) => [...(path ?? []).map(nameOf), message].join(': '));
        if (issues.length > MAX_COMPLAINTS) complaints.push(`and ${issues.length - MAX_COMPLAINTS} more`);
        return new RpcException({ statusCode: 400, message: `The payload was refused: ${complaints.join('; ')}` });
      },
    });
  }

  /** The transport refuses keys that change a prototype. Nest's walk takes ten times as long as parsing the payload. */
  protected override stripProtoKeys(): void {}
}

function nameOf(segment: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof segment === 'object' ? segment.key : segment);
}
