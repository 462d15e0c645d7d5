;; Submits and polls at every depth until the stack is full in the middle of the host, and goes on as if nothing were.
;; outcome: any
;; calls: many
;; own: completed
(global $depth (mut i32) (i32.const 0))
(func $deeper
  (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
  (call $blank (i32.const 3) (i32.const 0))
  (i32.store (i32.const 0x2000) (i32.add (i32.const 100) (global.get $depth)))
  (i32.store (i32.const 0x202c) (i32.const 5))
  (drop (call $submit (i32.const 0x2000) (i32.const 1)))
  (drop (call $poll (i32.const 0) (i32.const 0) (i32.const 0x8000) (i32.const 0)))
  (drop (call $store))
  (call $deeper))
(func $request
  (try (do (call $deeper)) (catch_all))
  (call $respond (i32.const 204)))
(func $completed (param $record i32))
