;; Polls with room for nothing.
;; outcome: 500 trap
;; own: run completed
(func (export "run") (param $budget i32) (result i32)
  (call $poll (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
