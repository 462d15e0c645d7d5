;; Calls the WASI functions with pointers that lie outside, and counts that have no end. None may reach the host's memory.
;; outcome: 204
;; own: imports
(import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))
(import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
(import "proactor_v1" "open" (func $open (param i32 i32) (result i32)))
(import "proactor_v1" "abort" (func $abort (param i32 i32 i32 i32 i32 i32)))
(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "poll_oneoff" (func $wait (param i32 i32 i32 i32) (result i32)))
(func $request
  ;; EFAULT
  (call $expect (call $random (i32.const -1) (i32.const 2)) (i32.const 21) (i32.const 100))
  (call $expect (call $random (i32.const 0) (i32.const -1)) (i32.const 21) (i32.const 101))
  (call $expect (call $random (i32.const 0x1ffff) (i32.const 2)) (i32.const 21) (i32.const 102))
  (call $expect (call $random (i32.const 0x1ffff) (i32.const 1)) (i32.const 0) (i32.const 103))
  ;; ENOTSUP
  (call $expect (call $wait (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0)) (i32.const 58) (i32.const 104))
  ;; EINVAL: more pieces than anybody writes at once
  (call $expect (call $write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0)) (i32.const 28) (i32.const 105))
  (call $expect (call $write (i32.const 1) (i32.const 0x4000) (i32.const 1025) (i32.const 0)) (i32.const 28) (i32.const 106))
  (call $expect (call $read (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0)) (i32.const 28) (i32.const 107))
  ;; EBADF: nothing but the console can be written to
  (i32.store (i32.const 0x4000) (i32.const 0))
  (i32.store (i32.const 0x4004) (i32.const 0x10000))
  (call $expect (call $write (i32.const 0) (i32.const 0x4000) (i32.const 1) (i32.const 0x4100)) (i32.const 8) (i32.const 108))
  (call $expect (call $write (i32.const 3) (i32.const 0x4000) (i32.const 1) (i32.const 0x4100)) (i32.const 8) (i32.const 109))
  (call $expect (call $write (i32.const -1) (i32.const 0x4000) (i32.const 1) (i32.const 0x4100)) (i32.const 8) (i32.const 110))
  (call $respond (i32.const 204)))
