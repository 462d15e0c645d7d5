;; Never polls, and says so.
;; outcome: 500 trap
;; own: run completed
(func (export "run") (param $budget i32) (result i32) (i32.const 0))
