//! The driver of this host: one command a line in, one reply a line out. See conformance/README.md.

mod executor;
mod world;

use std::io::{BufRead, Write};

use serde_json::{Value, json};

use world::World;

fn main() -> std::io::Result<()> {
    let mut world = World::default();
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line?)?;
        let mut reply = world.perform(&command);
        if command["do"] == "hello" {
            reply["host"] = json!(concat!("rust ", env!("CARGO_PKG_VERSION")));
            reply["engine"] = json!("wasmtime");
        }
        writeln!(output, "{reply}")?;
        output.flush()?;
    }
    Ok(())
}
