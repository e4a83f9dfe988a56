/**
 * Makes `instanceof` recognize the objects of every copy of their package in the process: npm can install two. Call it
 * in a static block, with the package and the class as `name`. Classes that extend `constructor` keep the usual `instanceof`.
 */
export function brand(constructor: { readonly prototype: object }, name: string): void {
  const mark = Symbol.for(`@sealwire/${name}`);
  Object.defineProperty(constructor.prototype, mark, { value: true });
  Object.defineProperty(constructor, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== constructor) return Function.prototype[Symbol.hasInstance].call(this, value);
      return typeof value === 'object' && value !== null && mark in value;
    },
  });
}
