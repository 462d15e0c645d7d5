// Asyncify: gives a guest with fibers the code to switch between them, so that any host can run it.
//
// Binaryen's pass of this name makes those functions that may be on a fiber's stack able to leave it, and to come back
// later. What starts and ends that is put in the place of the imports of `proactor_v1_fiber`. The result imports nothing
// of that name: to its host a fiber is code that runs in a handler.

import binaryen from "assemblyscript/binaryen";

const FIBERS = "proactor_v1_fiber";

/** What AssemblyScript compiles to, if it is told nothing else. */
const { MutableGlobals, SignExt, NontrappingFPToInt, BulkMemory, BulkMemoryOpt } = binaryen.Features;
const FEATURES = MutableGlobals | SignExt | NontrappingFPToInt | BulkMemory | BulkMemoryOpt;

/** The words before a stack: where it ends, and the end of the area. */
const HEAD_BYTES = 8;

/** What is being done to the stack. Asyncify's own names. */
const NORMAL = 0;
const UNWINDING = 1;
const REWINDING = 2;

/** Takes a compiled guest with fibers, and returns one that needs no host that knows of them. */
export function asyncify(wasm: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(wasm);
  const levels = [binaryen.getOptimizeLevel(), binaryen.getShrinkLevel()] as const;
  try {
    module.setFeatures(module.getFeatures() | FEATURES);
    const imports = importsOf(module);
    const run = exportedAs(module, "run_fiber");
    if (imports.size === 0 || !run)
      throw new Error('this module has no fibers: it needs `export { run, run_fiber } from "wasm-proactor"`');
    putInside(module, imports, run);
    binaryen.setPassArgument("asyncify-ignore-imports", "1");
    module.runPasses(["asyncify"]);
    for (const name of ["start_unwind", "stop_unwind", "start_rewind", "stop_rewind", "get_state"])
      module.removeExport(`asyncify_${name}`);
    module.removeExport("run_fiber");
    binaryen.setOptimizeLevel(3);
    binaryen.setShrinkLevel(1);
    module.optimize();
    return module.emitBinary();
  } finally {
    // What it is set to is set for all modules, asc's too.
    binaryen.clearPassArguments();
    binaryen.setOptimizeLevel(levels[0]);
    binaryen.setShrinkLevel(levels[1]);
    module.dispose();
  }
}

/** The imports that are to be replaced: the module's own names by those of the contract. */
function importsOf(module: binaryen.Module): Map<string, string> {
  const found = new Map<string, string>();
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (info.module === FIBERS && info.base) found.set(info.base, info.name);
  }
  return found;
}

function exportedAs(module: binaryen.Module, name: string): string | undefined {
  const found = module.getExport(name);
  return found ? binaryen.getExportInfo(found).value : undefined;
}

function putInside(module: binaryen.Module, imports: Map<string, string>, run: string): void {
  const { i32, none, createType } = binaryen;
  const control = (name: string, params: binaryen.Type, results: binaryen.Type): void =>
    module.addFunctionImport(`asyncify/${name}`, "asyncify", name, params, results);
  control("start_unwind", i32, none);
  control("stop_unwind", none, none);
  control("start_rewind", i32, none);
  control("stop_rewind", none, none);
  const call = (name: string, ...operands: binaryen.ExpressionRef[]): binaryen.ExpressionRef =>
    module.call(`asyncify/${name}`, operands, none);
  const constant = (value: number): binaryen.ExpressionRef => module.i32.const(value);
  const local = (index: number): binaryen.ExpressionRef => module.local.get(index, i32);

  module.addGlobal("asyncify/area", i32, true, constant(0));
  const area = (): binaryen.ExpressionRef => module.global.get("asyncify/area", i32);
  const after = (bytes: binaryen.ExpressionRef): binaryen.ExpressionRef => module.i32.add(area(), bytes);
  const setEnd = (bytes: binaryen.ExpressionRef): binaryen.ExpressionRef =>
    module.i32.store(0, 4, area(), module.i32.add(after(constant(HEAD_BYTES)), bytes));
  module.addGlobal("asyncify/phase", i32, true, constant(NORMAL));
  const isPhase = (phase: number): binaryen.ExpressionRef =>
    module.i32.eq(module.global.get("asyncify/phase", i32), constant(phase));
  const setPhase = (phase: number): binaryen.ExpressionRef => module.global.set("asyncify/phase", constant(phase));

  const bodies: Record<string, () => void> = {
    resume: () => {
      const [fiber, areaAt, areaBytes, stackBytes] = [0, 1, 2, 3];
      const begin = module.block(null, [setEnd(local(stackBytes)), setPhase(REWINDING), call("start_rewind", area())]);
      const body = module.block(null, [
        module.global.set("asyncify/area", local(areaAt)),
        module.i32.store(4, 4, area(), after(local(areaBytes))),
        module.if(local(stackBytes), begin),
        module.call(run, [local(fiber)], none),
        module.if(isPhase(NORMAL), module.return(constant(0))),
        setPhase(NORMAL),
        call("stop_unwind"),
        module.return(module.i32.sub(module.i32.load(0, 4, area()), after(constant(HEAD_BYTES)))),
      ]);
      replace("resume", createType([i32, i32, i32, i32]), i32, body);
    },
    // Called twice: to leave the stack, and at the end of coming back.
    suspend: () => {
      const begin = module.block(null, [setPhase(UNWINDING), setEnd(constant(0)), call("start_unwind", area())]);
      const end = module.block(null, [setPhase(NORMAL), call("stop_rewind")]);
      replace("suspend", i32, none, module.if(isPhase(REWINDING), end, begin));
    },
    // The turn that a fiber is resumed in is one of its own context.
    enter: () => replace("enter", i32, i32, constant(1)),
    leave: () => replace("leave", i32, none, module.nop()),
  };

  function replace(base: string, params: binaryen.Type, results: binaryen.Type, body: binaryen.ExpressionRef): void {
    const name = imports.get(base)!;
    module.removeFunction(name);
    module.addFunction(name, params, results, [], body);
  }

  for (const base of imports.keys()) bodies[base]!();
}
