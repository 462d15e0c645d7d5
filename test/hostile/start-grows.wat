;; Grows its memory in its start function, and in each turn behind the back of what it has just polled.
;; outcome: 204
(func $begin (drop (memory.grow (i32.const 3))))
(start $begin)
(func $request
  (drop (memory.grow (i32.const 1)))
  (call $blank (i32.const 0) (i32.const 0))
  (call $try (i32.const 0))
  (drop (memory.grow (i32.const 1))))
