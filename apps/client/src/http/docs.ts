import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

const DESCRIPTION = [
  'Sends messages to the server app over the encrypted channel and returns the answers of its handlers.',
  'A pattern that is an object goes into the path as its JSON text, percent-encoded.',
  'Every failed call is answered with `{ statusCode, code, message }`; `docs/errors.md` explains the codes. If the channel failed, `sent` says whether the message was sent: `false` means that no handler ran.',
].join('\n\n');

/** Serves the description of all routes: a page at /docs, and the document at /docs/openapi.json. */
export function serveDocs(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Sealwire trigger')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'Needed if HTTP_TOKEN is set' })
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config), {
    customSiteTitle: 'Sealwire trigger',
    jsonDocumentUrl: 'docs/openapi.json',
    raw: ['json'],
  });
}
