//! What the program `wasm-bindgen` does, as a library of the same version: so that the lock file decides it, and nothing
//! needs to be installed. `bindgen <module.wasm> <folder>`

use std::env::args;
use wasm_bindgen_cli_support::Bindgen;

fn main() {
    let [_, module, folder] = <[String; 3]>::try_from(args().collect::<Vec<_>>())
        .expect("bindgen <module.wasm> <folder>");
    Bindgen::new()
        .input_path(module)
        .web(true)
        .expect("no other target is set")
        .typescript(false)
        .generate(folder)
        .unwrap();
}
