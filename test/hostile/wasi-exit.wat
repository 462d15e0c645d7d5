;; Exits.
;; outcome: 500 trap
;; own: imports
(import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))
(import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
(import "proactor_v1" "open" (func $open (param i32 i32) (result i32)))
(import "proactor_v1" "abort" (func $abort (param i32 i32 i32 i32 i32 i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
(func $request (call $exit (i32.const 0)))
