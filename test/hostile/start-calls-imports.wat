;; Calls the host from its start function, when there is neither an instance nor a memory yet.
;; outcome: 204
(global $submitted (mut i32) (i32.const 0))
(global $polled (mut i32) (i32.const 0))
(global $opened (mut i32) (i32.const 0))
(func $begin
  (global.set $submitted (call $submit (i32.const 0x2000) (i32.const 1)))
  (global.set $polled (call $poll (i32.const 0) (i32.const 1) (i32.const 0x8000) (i32.const 64)))
  (global.set $opened (call $store)))
(start $begin)
(func $request
  (call $expect (global.get $submitted) (i32.const -1) (i32.const 100))
  (call $expect (global.get $polled) (i32.const -1) (i32.const 101))
  (call $expect (global.get $opened) (i32.const -1) (i32.const 102))
  (call $respond (i32.const 204)))
