// The files that `npm run new:handler` writes for `pattern`, which is also the name of the folder and of the files.
// Only the class is named after the pattern: a method with the name of a pattern could be one that Nest calls.

export const controllerText = ({ pattern, className }) => `
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { z } from 'zod';

const inputSchema = z.object({ text: z.string() });

type Input = z.infer<typeof inputSchema>;

/** \`${pattern}\`: answers a text in capitals. */
@Controller()
export class ${className} {
  @MessagePattern('${pattern}')
  answer(@Payload({ schema: inputSchema }) { text }: Input): string {
    return text.toUpperCase();
  }
}
`;

/** A body that the handler of {@link controllerText} takes. */
export const EXAMPLE_BODY = '{"text":"Hello Server!"}';

export const specText = ({ pattern, className }) => `
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';

import { ${className} } from './${pattern}.controller.js';

describe('${pattern}', () => {
  it('answers a text in capitals', async () => {
    const module = await Test.createTestingModule({ controllers: [${className}] }).compile();
    expect(module.get(${className}).answer({ text: 'Hello Server!' })).toBe('HELLO SERVER!');
  });
});
`;
