//! Engine: compiles the module, links the host's functions to it, and calls it. The only file that names wasmtime.
//!
//! An instance and its memory are one [`Guest`], owned by whoever holds it, so two tasks never run it at the same time:
//! the compiler would not have it. A call into the module is stopped when it has taken too long: the module looks at
//! the engine's epoch wherever it loops, and a thread of its own advances that.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{
    Caller, Config, ExternType, InstancePre, Linker, Memory, Module, ResourceLimiter, Store, Trap as EngineTrap,
    TypedFunc,
};

use crate::Error;
use crate::completion_queue::Delivered;
use crate::context::ContextId;
use crate::host::Host;
use crate::instance::{GuestAbort, Instance};
use crate::wasi::{self, Wasi, WasiTrap};

const CONTRACT: &str = "proactor_v1";
const CONTRACT_FUNCTIONS: [&str; 4] = ["submit", "poll", "open", "abort"];
const WASI: &str = "wasi_snapshot_preview1";

/// Epochs that a call into the module may last. More of them measure the time more closely, and wake the thread more often.
const EPOCHS: u64 = 10;

/// A compiled module, linked and ready to be instantiated.
pub(crate) struct Engine {
    module: InstancePre<Data>,
}

/// What the store owns.
struct Data {
    instance: Instance,
    /// None until the module has been instantiated.
    memory: Option<Memory>,
    grow_bytes: usize,
}

impl ResourceLimiter for Data {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= self.grow_bytes)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        // A table's element takes about as much as a word of memory for each of its two halves.
        Ok(desired <= self.grow_bytes / 16)
    }
}

impl Engine {
    pub fn new(wasm: &[u8], run_ms: u32) -> Result<Self, Error> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        config.wasm_memory64(false);
        let engine = wasmtime::Engine::new(&config).map_err(|error| Error::Module(format!("{error:#}")))?;
        let module = Module::new(&engine, wasm)
            .map_err(|error| Error::Module(format!("the module does not compile: {error:#}")))?;
        check(&module)?;
        let mut linker = Linker::new(&engine);
        link(&mut linker).map_err(|error| Error::Module(format!("{error:#}")))?;
        let module = linker.instantiate_pre(&module).map_err(|error| Error::Module(format!("{error:#}")))?;
        advance_epochs(&engine, run_ms);
        Ok(Self { module })
    }
}

/// Advances the epoch until the engine is gone.
fn advance_epochs(engine: &wasmtime::Engine, run_ms: u32) {
    let engine = engine.weak();
    let epoch = Duration::from_micros(u64::from(run_ms) * 1000 / EPOCHS);
    std::thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(epoch);
        }
    });
}

/// Says everything that is wrong with a module at once: most that make one mistake make three.
fn check(module: &Module) -> Result<(), Error> {
    let mut wrong = Vec::new();
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        let is_known = match from {
            CONTRACT => CONTRACT_FUNCTIONS.contains(&name),
            WASI => wasi::FUNCTIONS.contains(&name),
            _ => false,
        };
        if !is_known || !matches!(import.ty(), ExternType::Func(_)) {
            wrong.push(format!("it imports {from}.{name}: this host does not provide it"));
        }
    }
    for name in ["run", "_initialize"] {
        if !matches!(module.get_export(name), Some(ExternType::Func(_))) {
            wrong.push(format!("it exports no function \"{name}\""));
        }
    }
    if !matches!(module.get_export("memory"), Some(ExternType::Memory(_))) {
        wrong.push("it exports no memory \"memory\"".to_owned());
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::Module(format!("this module is no guest of {CONTRACT}:\n- {}", wrong.join("\n- "))))
}

/// Gives a function of the host the guest's memory and the host's side of the instance.
fn enter<'a>(caller: &'a mut Caller<'_, Data>) -> (&'a mut [u8], &'a mut Instance) {
    match caller.data().memory {
        Some(memory) => {
            let (bytes, data) = memory.data_and_store_mut(caller);
            (bytes, &mut data.instance)
        }
        None => (&mut [], &mut caller.data_mut().instance),
    }
}

fn link(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    linker.func_wrap(CONTRACT, "submit", |mut caller: Caller<'_, Data>, at: u32, count: u32| {
        let (memory, instance) = enter(&mut caller);
        instance.submit(memory, at, count)
    })?;
    linker.func_wrap(
        CONTRACT,
        "poll",
        |mut caller: Caller<'_, Data>, at: u32, capacity: u32, arena: u32, arena_bytes: u32| {
            let (memory, instance) = enter(&mut caller);
            instance.poll(memory, at, capacity, arena, arena_bytes)
        },
    )?;
    linker.func_wrap(CONTRACT, "open", |mut caller: Caller<'_, Data>, at: u32, length: u32| {
        let (memory, instance) = enter(&mut caller);
        instance.open(memory, at, length)
    })?;
    linker.func_wrap(
        CONTRACT,
        "abort",
        |mut caller: Caller<'_, Data>,
         message: u32,
         message_bytes: u32,
         file: u32,
         file_bytes: u32,
         line: u32,
         column: u32| {
            let (memory, _) = enter(&mut caller);
            let abort = Instance::abort(memory, (message, message_bytes), (file, file_bytes), line, column);
            Err::<(), _>(wasmtime::Error::from(abort))
        },
    )?;
    link_wasi(linker)
}

fn link_wasi(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    type C<'a> = Caller<'a, Data>;
    fn answer(result: Result<i32, WasiTrap>) -> wasmtime::Result<i32> {
        result.map_err(wasmtime::Error::from)
    }
    linker.func_wrap(WASI, "args_get", |_: u32, _: u32| 0)?;
    linker.func_wrap(WASI, "environ_get", |_: u32, _: u32| 0)?;
    for name in ["args_sizes_get", "environ_sizes_get"] {
        linker.func_wrap(WASI, name, |mut caller: C<'_>, count: u32, bytes: u32| {
            answer(Wasi::sizes_get(enter(&mut caller).0, count, bytes))
        })?;
    }
    linker.func_wrap(WASI, "clock_res_get", |mut caller: C<'_>, id: u32, at: u32| {
        answer(Wasi::clock_res_get(enter(&mut caller).0, id, at))
    })?;
    linker.func_wrap(WASI, "clock_time_get", |mut caller: C<'_>, _: u32, _: u64, at: u32| {
        let (memory, instance) = enter(&mut caller);
        answer(instance.wasi.clock_time_get(memory, at))
    })?;
    linker.func_wrap(WASI, "fd_close", |mut caller: C<'_>, fd: u32| answer(enter(&mut caller).1.wasi.fd_close(fd)))?;
    linker.func_wrap(WASI, "fd_fdstat_get", |mut caller: C<'_>, fd: u32, at: u32| {
        let (memory, instance) = enter(&mut caller);
        answer(instance.wasi.fd_fdstat_get(memory, fd, at))
    })?;
    linker.func_wrap(WASI, "fd_read", |mut caller: C<'_>, fd: u32, pieces: u32, count: u32, at: u32| {
        let (memory, instance) = enter(&mut caller);
        answer(instance.wasi.fd_read(memory, fd, pieces, count, at))
    })?;
    linker.func_wrap(WASI, "fd_seek", |mut caller: C<'_>, fd: u32, _: u64, _: u32, at: u32| {
        let (memory, instance) = enter(&mut caller);
        answer(instance.wasi.fd_seek(memory, fd, at))
    })?;
    linker.func_wrap(WASI, "fd_write", |mut caller: C<'_>, fd: u32, pieces: u32, count: u32, at: u32| {
        let (memory, instance) = enter(&mut caller);
        answer(instance.wasi.fd_write(memory, fd, pieces, count, at))
    })?;
    linker.func_wrap(WASI, "poll_oneoff", |_: u32, _: u32, _: u32, _: u32| wasi::ENOTSUP)?;
    linker.func_wrap(WASI, "proc_exit", |code: u32| {
        Err::<(), _>(wasmtime::Error::from(WasiTrap(format!("exit with exit code {code}"))))
    })?;
    linker.func_wrap(WASI, "random_get", |mut caller: C<'_>, at: u32, length: u32| {
        let (memory, instance) = enter(&mut caller);
        answer(instance.wasi.random_get(memory, at, length))
    })?;
    Ok(())
}

/// How a call into the module ended otherwise than by returning.
pub(crate) enum Trap {
    /// The guest itself said so.
    Abort(GuestAbort),
    Other(String),
}

impl Trap {
    fn from(error: wasmtime::Error) -> Self {
        let error = match error.downcast::<GuestAbort>() {
            Ok(abort) => return Self::Abort(abort),
            Err(error) => error,
        };
        match error.downcast_ref::<EngineTrap>() {
            Some(EngineTrap::Interrupt) => Self::Other("it was stopped: it ran for longer than run_ms".to_owned()),
            Some(trap) => Self::Other(trap.to_string()),
            None => Self::Other(error.root_cause().to_string()),
        }
    }
}

/// One instance of the module, with everything that belongs to it.
pub(crate) struct Guest {
    store: Store<Data>,
    run: TypedFunc<i32, i32>,
    memory: Memory,
}

impl Guest {
    /// Instantiates the module and runs its `_initialize`.
    pub fn instantiate(engine: &Engine, host: &Arc<Host>) -> Result<Self, Trap> {
        let grow_bytes = host.limits.grow_bytes as usize;
        let data = Data { instance: Instance::new(host.clone()), memory: None, grow_bytes };
        let mut store = Store::new(engine.module.module().engine(), data);
        store.limiter(|data| data);
        store.set_epoch_deadline(EPOCHS + 1);
        let linked = engine.module.instantiate(&mut store).map_err(Trap::from)?;
        let memory = linked.get_memory(&mut store, "memory");
        let memory = memory.ok_or_else(|| Trap::Other("it exports no memory".to_owned()))?;
        let initialize = linked.get_typed_func::<(), ()>(&mut store, "_initialize").map_err(Trap::from)?;
        let run = linked.get_typed_func(&mut store, "run").map_err(Trap::from)?;
        store.data_mut().memory = Some(memory);
        let mut guest = Self { store, run, memory };
        guest.instance_mut().begin();
        guest.instance_mut().begin_turn(ContextId::INSTANCE);
        initialize.call(&mut guest.store, ()).map_err(Trap::from)?;
        guest.end_turn();
        Ok(guest)
    }

    pub fn instance(&self) -> &Instance {
        &self.store.data().instance
    }

    pub fn instance_mut(&mut self) -> &mut Instance {
        &mut self.store.data_mut().instance
    }

    /// Runs turns of a context until nothing is pending or others should be served.
    pub fn run(&mut self, id: ContextId) -> Result<(), Trap> {
        let result = self.run_turns(id);
        self.instance_mut().interrupted = result.is_err();
        self.end_turn();
        result
    }

    fn run_turns(&mut self, id: ContextId) -> Result<(), Trap> {
        let budget = self.instance().host.limits.budget as i32;
        for _ in 0..self.instance().host.limits.runs {
            let is_due = self.instance().due(id) > 0;
            if !is_due && !self.instance().interrupted {
                break;
            }
            self.instance_mut().interrupted = false;
            self.instance_mut().begin_turn(id);
            self.store.set_epoch_deadline(EPOCHS + 1);
            let result = self.run.call(&mut self.store, budget).map_err(Trap::from)?;
            if result < 0 {
                return Err(Trap::Other(format!("run() answered {result}")));
            }
            if is_due && self.instance().took_nothing() {
                return Err(Trap::Other("run() took none of the completions".to_owned()));
            }
        }
        Ok(())
    }

    fn end_turn(&mut self) {
        let memory_bytes = self.memory.data_size(&self.store);
        let instance = self.instance_mut();
        instance.current = None;
        instance.memory_bytes = memory_bytes;
    }

    /// The completion whose handler was called last on the turn that has trapped.
    pub fn running(&self) -> Option<&Delivered> {
        self.instance().queue.running(self.memory.data(&self.store))
    }
}
