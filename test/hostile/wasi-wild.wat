;; Lets WASI write its result outside memory, which is a trap like any other.
;; outcome: 500 trap
;; own: imports
(import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))
(import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
(import "proactor_v1" "open" (func $open (param i32 i32) (result i32)))
(import "proactor_v1" "abort" (func $abort (param i32 i32 i32 i32 i32 i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(func $request
  (i32.store (i32.const 0x4000) (i32.const 0))
  (i32.store (i32.const 0x4004) (i32.const 0))
  (drop (call $write (i32.const 1) (i32.const 0x4000) (i32.const 1) (i32.const 0x20000)))
  (call $respond (i32.const 204)))
