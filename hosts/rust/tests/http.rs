//! The project's HTTP suite against `serve`: every route of the deployed Worker, over a socket.

use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A Node that runs TypeScript: the project's own, or the machine's. Where there is none, nothing is run; in CI there
/// must be one.
fn node() -> Option<PathBuf> {
    let candidates = [Path::new(ROOT).join("node_modules/.bin/node"), PathBuf::from("node")];
    let found = candidates.into_iter().find(|node| {
        let output = Command::new(node).args(["--print", "process.features.typescript"]).output();
        output.is_ok_and(|output| output.status.success() && output.stdout.starts_with(b"strip"))
    });
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "there is no node here that runs TypeScript");
        eprintln!("not run: there is no node here that runs TypeScript");
    }
    found
}

#[test]
fn serve_passes_the_suite_in_each_isolation() {
    let Some(node) = node() else { return };
    assert!(Path::new(ROOT).join("build/worker.wasm").exists(), "there is no build/: say `npm run build` first");
    let serve = env!("CARGO_BIN_EXE_serve");
    for isolation in ["pooled", "request", "shared"] {
        let command =
            format!("{serve} {{module}} --port 0 --isolation {isolation} --kv CACHE --origin UPSTREAM={{upstream}}");
        let output = Command::new(&node)
            .args(["conformance/http/run.ts", "--serve", &command])
            .current_dir(ROOT)
            .output()
            .expect("node starts");
        let said = String::from_utf8_lossy(&output.stdout);
        let failed: Vec<_> = said.lines().filter(|line| !line.starts_with("ok ")).collect();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "isolation {isolation}:\n{}\n{errors}", failed.join("\n"));
    }
}

#[test]
fn a_namespace_in_a_file_outlives_the_server() {
    let Some(node) = node() else { return };
    let file = std::env::temp_dir().join(format!("wasm-proactor-{}.redb", std::process::id()));
    let serve = env!("CARGO_BIN_EXE_serve");
    let command = format!("{serve} {{module}} --port 0 --kv CACHE={} --origin UPSTREAM={{upstream}}", file.display());
    let output = Command::new(&node)
        .args(["conformance/http/run.ts", "--serve", &command, "--check", "kv:"])
        .current_dir(ROOT)
        .output()
        .expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let store = wasm_proactor::RedbStore::open(&file).expect("the server has closed it");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let options = wasm_proactor::ListOptions { prefix: String::new(), limit: 10, cursor: None };
    let page = runtime.block_on(wasm_proactor::Store::list(&store, options)).unwrap();
    assert_eq!(page.keys.len(), 10);
    drop(store);
    std::fs::remove_file(file).unwrap();
}
