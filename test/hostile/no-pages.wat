;; Has a memory of no pages. Nothing can be pointed at, so nothing can be accepted.
;; outcome: 500 unanswered
;; healthy: 500 unanswered
;; own: memory helpers _initialize run completed
(memory (export "memory") 0)
(func (export "_initialize")
  (if (i32.ne (call $submit (i32.const 0) (i32.const 1)) (i32.const -2)) (then (unreachable)))
  (if (i32.ne (call $submit (i32.const 0) (i32.const 0)) (i32.const 0)) (then (unreachable)))
  (if (i32.ne (call $poll (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)) (i32.const 0)) (then (unreachable)))
  (if (i32.ne (call $open (i32.const 0) (i32.const 1)) (i32.const -2)) (then (unreachable))))
(func (export "run") (param $budget i32) (result i32) (i32.const 0))
