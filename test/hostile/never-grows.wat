;; Polls with an arena of nothing, once in each turn. The request's head never fits; then it is lost, and a 500.
;; outcome: 500 unanswered
;; own: run completed
(func (export "run") (param $budget i32) (result i32)
  (drop (call $poll (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)))
  (i32.const 1))
