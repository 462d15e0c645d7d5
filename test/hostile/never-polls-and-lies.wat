;; Never polls, and says that it took everything.
;; outcome: 500 trap
;; own: run completed
(func (export "run") (param $budget i32) (result i32) (local.get $budget))
