import { StandardSchemaValidationPipe } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';

/** Each element of a payload can cause a complaint; a caller needs no more than these. */
const MAX_COMPLAINTS = 10;

/** Checks payloads against the `@Payload({ schema })` of their handler. The caller gets the complaints. */
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
