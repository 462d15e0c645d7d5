;; Declares the imports with 64-bit parameters. What arrives at the host is of another type.
;; outcome: 500 trap
;; own: imports helpers _initialize run completed
(import "proactor_v1" "submit" (func $accept (param i32 i32) (result i32)))
(import "proactor_v1" "poll" (func $poll (param i64 i64 i64 i64) (result i64)))
(func (export "_initialize")
  (i32.store16 (i32.const 0x2008) (i32.const 4))
  (i32.store (i32.const 0x202c) (i32.const 1))
  (drop (call $accept (i32.const 0x2000) (i32.const 1))))
(func (export "run") (param $budget i32) (result i32)
  (i32.wrap_i64 (call $poll (i64.const 0) (i64.const 1) (i64.const 0x8000) (i64.const 0x8000))))
