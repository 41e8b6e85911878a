//! Compiling a runtime's module, and telling how far it is.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use cranelift_codegen::timing::{Pass, Profiler, set_thread_profiler};
use wasmparser::{Parser, Payload};

use super::{Progress, Step};
use crate::sandbox::engine::{self, Build};

/// How often progress is told.
const TICK: Duration = Duration::from_millis(100);

/// Compiles a module as [`wasmtime::Engine::precompile_module`] does; the step's progress is in functions.
///
/// # Errors
/// When it can't be compiled.
pub(super) fn compile(
    build: Build,
    wasm: &[u8],
    step: Step,
    progress: &dyn Progress,
) -> wasmtime::Result<Vec<u8>> {
    progress.begin(step, Some(functions(wasm)?));
    let engine = engine::engine(build)?;
    // wasmtime compiles on the threads of the pool that it is called from, and tells nobody how far it is; but
    // Cranelift tells the profiler of each thread when it begins a function.
    let begun = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&begun);
    let pool = rayon::ThreadPoolBuilder::new()
        .start_handler(move |_| drop(set_thread_profiler(Box::new(Counter(Arc::clone(&counter))))))
        .build()
        .map_err(|error| wasmtime::Error::msg(error.to_string()))?;
    // Hangs up when the compilation is over, also by a panic.
    let (compiling, hung_up) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut told = 0;
            loop {
                let over = hung_up.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout);
                let now = begun.load(Ordering::Relaxed);
                progress.advance(now - told);
                told = now;
                if over {
                    break;
                }
            }
        });
        let _compiling = compiling;
        pool.install(|| engine.precompile_module(wasm))
    })
}

/// The functions that a module has itself.
fn functions(wasm: &[u8]) -> wasmtime::Result<u64> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionStart { count, .. } = payload? {
            return Ok(count.into());
        }
    }
    Ok(0)
}

/// Counts the functions that a thread begins to compile.
struct Counter(Arc<AtomicU64>);

impl Profiler for Counter {
    fn start_pass(&self, pass: Pass) -> Box<dyn Any> {
        if pass == Pass::wasm_translate_function {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Box::new(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What a step had in all, and what was told of it.
    #[derive(Default)]
    struct Seen(Mutex<(Option<u64>, u64)>);

    impl Progress for Seen {
        fn begin(&self, _: Step, total: Option<u64>) {
            self.0.lock().unwrap().0 = total;
        }

        fn advance(&self, done: u64) {
            self.0.lock().unwrap().1 += done;
        }

        fn end(&self) {}

        fn warn(&self, _: &str) {}
    }

    #[test]
    fn every_function_is_told_of_and_the_module_is_that_of_the_engine() {
        use std::fmt::Write;

        let mut wat = String::from("(module");
        for number in 0..2_000 {
            write!(wat, "(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const {number})))")
                .unwrap();
        }
        let wasm = wat::parse_str(wat + ")").unwrap();
        let seen = Seen::default();
        let compiled = compile(Build::Fast, &wasm, Step::Compile, &seen).unwrap();
        let (total, done) = *seen.0.lock().unwrap();
        assert_eq!(total, Some(2_000));
        assert_eq!(done, 2_000);
        assert!(compiled == engine::engine(Build::Fast).unwrap().precompile_module(&wasm).unwrap());
    }
}
