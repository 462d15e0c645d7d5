;; Exports a run of another type.
;; outcome: 500 trap
;; own: helpers run completed _initialize
(func (export "_initialize")
  (i32.store16 (i32.const 0x2008) (i32.const 4))
  (i32.store (i32.const 0x202c) (i32.const 1))
  (drop (call $submit (i32.const 0x2000) (i32.const 1))))
(func (export "run") (param $budget i64) (result i64) (local.get $budget))
