;; Uses the slot of an operation in flight again, and the answer's, and the accept's.
;; outcome: 204
;; own: completed
(global $seen (mut i32) (i32.const 0))
(func $timer (param $slot i32) (param $ms i32)
  (call $blank (i32.const 3) (i32.const 0))
  (i32.store (i32.const 0x2000) (local.get $slot))
  (i32.store (i32.const 0x202c) (local.get $ms))
  (call $expect (call $submit (i32.const 0x2000) (i32.const 1)) (i32.const 1) (i32.const 100)))
(func $request
  (global.set $seen (i32.const 0))
  (call $timer (i32.const 9) (i32.const 5))
  ;; Invalid, each; the first goes on.
  (call $timer (i32.const 9) (i32.const 1))
  (call $timer (i32.const 9) (i32.const 2)))
(func $completed (param $record i32)
  (if (i32.ne (i32.load (local.get $record)) (i32.const 9)) (then (return)))
  (global.set $seen (i32.add (global.get $seen) (i32.const 1)))
  (call $expect
    (i32.load offset=8 (local.get $record))
    (select (i32.const 0) (i32.const -1) (i32.eq (global.get $seen) (i32.const 3)))
    (global.get $seen))
  (if (i32.eq (global.get $seen) (i32.const 3)) (then (call $respond (i32.const 204)))))
