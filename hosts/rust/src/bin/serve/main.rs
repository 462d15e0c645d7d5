//! Serve: a proactor behind hyper's HTTP server. `cargo run --release --bin serve -- app.wasm`

mod flags;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use wasm_proactor::{Options, Proactor, Shutdown};

use flags::{Flags, USAGE};

/// Wrong use, as the shell has it.
const BAD_USE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args();
    args.next(); // The program's own name.
    let started = match flags::parse(args) {
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(Some(flags)) => start(flags).await,
        Err(error) => Err(error),
    };
    let served = match started {
        Ok((app, listener)) => serve(app, listener).await.map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("serve: {error}");
            ExitCode::from(BAD_USE)
        }
    }
}

async fn start(flags: Flags) -> Result<(Proactor, TcpListener), String> {
    let wasm = std::fs::read(&flags.module).map_err(|error| format!("{}: {error}", flags.module.display()))?;
    let options = Options { resources: flags.resources()?, isolation: flags.isolation, ..Options::default() };
    let app = Proactor::new(wasm, options).map_err(|error| error.to_string())?;
    let at = (flags.host.as_str(), flags.port);
    let listener = TcpListener::bind(at).await.map_err(|error| format!("{}:{}: {error}", flags.host, flags.port))?;
    Ok((app, listener))
}

/// The signals that mean the end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn serve(app: Proactor, listener: TcpListener) -> std::io::Result<()> {
    let mut signals =
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? };
    let address = listener.local_addr()?;
    writeln!(std::io::stdout(), "listening on http://{address}")?;
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // A client that waits for the end of a small answer should not wait for a full packet.
                    let _ = stream.set_nodelay(true);
                    let service = TowerToHyperService::new(app.clone());
                    let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
                    // How a connection ends is its client's business.
                    tokio::spawn(async move { drop(connection.await) });
                }
                // One that is gone already, or no descriptor left for it: the next one may do better, after a while.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            () = signals.next() => break,
        }
    }
    drop(listener);
    tokio::select! {
        _ = async { tokio::join!(app.shutdown(Shutdown::Graceful), graceful.shutdown()) } => {}
        () = signals.next() => app.shutdown(Shutdown::Now).await,
    }
    Ok(())
}
