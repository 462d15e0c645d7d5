;; Submits two thousand operations at once that all fail, and of which no handler wants to hear.
;; outcome: 204
;; own: completed
(func $request
  (local $at i32)
  (local.set $at (i32.const 0x10000))
  (if (i32.lt_u (memory.size) (i32.const 4)) (then (drop (memory.grow (i32.const 2)))))
  (loop $next
    ;; Detached, and of an opcode that there is not.
    (i32.store offset=8 (local.get $at) (i32.const 0x800000ff))
    (local.set $at (i32.add (local.get $at) (i32.const 64)))
    (br_if $next (i32.lt_u (local.get $at) (i32.const 0x2f400))))
  (call $expect (call $submit (i32.const 0x10000) (i32.const 2000)) (i32.const 2000) (i32.const 100))
  (call $respond (i32.const 204)))
(func $completed (param $record i32))
