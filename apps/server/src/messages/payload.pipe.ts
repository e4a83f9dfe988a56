import { StandardSchemaValidationPipe } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';

/** The limit of complaints in an answer, because each element of a payload can cause one. */
const MAX_COMPLAINTS = 10;

/** Checks payloads against the `@Payload({ schema })` of their handler. The error contains the complaints. */
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

  /** Does nothing: the transport has refused keys that change a prototype, and Nest's walk is slower than the parser. */
  protected override stripProtoKeys(): void {}
}

function nameOf(segment: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof segment === 'object' ? segment.key : segment);
}
