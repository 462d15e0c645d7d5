;; Begins with a memory of no pages and grows it in its first turn.
;; outcome: 500 unanswered
;; healthy: 500 unanswered
;; own: memory helpers _initialize run completed
(memory (export "memory") 0)
(func (export "_initialize")
  (drop (memory.grow (i32.const 1)))
  ;; Everything is zero: a noop, which may not be submitted while the module starts.
  (if (i32.ne (call $submit (i32.const 0xffc0) (i32.const 1)) (i32.const 1)) (then (unreachable)))
  (if (i32.ne (call $poll (i32.const 0) (i32.const 9) (i32.const 0x8000) (i32.const 0x8000)) (i32.const 1)) (then (unreachable)))
  (if (i32.ne (i32.load (i32.const 8)) (i32.const -4)) (then (unreachable))))
(func (export "run") (param $budget i32) (result i32) (i32.const 0))
