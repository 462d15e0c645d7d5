// What a fiber is compared with: a module whose import returns a promise, by JSPI and nothing else.

/** What TypeScript does not know of JSPI yet. */
interface Jspi {
  Suspending: new (fn: () => Promise<void>) => WebAssembly.ImportValue;
  promising(fn: WebAssembly.ExportValue): (count: number) => Promise<void>;
}

/** Suspends and resumes as often as it is told to. */
export function suspendPlainly(module: WebAssembly.Module): (count: number) => Promise<void> {
  const engine = WebAssembly as unknown as Jspi;
  const next = new engine.Suspending(async () => {
    await Promise.resolve();
  });
  const imports = { loop: { next }, proactor_v1: { abort: () => {} } };
  const { loop } = new WebAssembly.Instance(module, imports).exports;
  return engine.promising(loop!);
}
