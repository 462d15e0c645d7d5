// The one function of asc's interface that the build calls. asc's own declarations are not used, because they add
// AssemblyScript's globals (`u32`, another `console`) to whatever program includes them. tsconfig/node.json maps here.

export interface Options {
  readFile(name: string, baseDir: string): string | null;
  writeFile(name: string, contents: Uint8Array | string): void;
  stderr: { write(text: string | Uint8Array): void };
}

declare const asc: { main(argv: string[], options: Partial<Options>): Promise<{ error: Error | null }> };
export default asc;
