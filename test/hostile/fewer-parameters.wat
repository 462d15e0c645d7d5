;; Declares the imports without parameters and without results.
;; outcome: 500 trap
;; own: imports helpers _initialize run completed
(import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))
(import "proactor_v1" "submit" (func $submitNothing))
(import "proactor_v1" "poll" (func $pollNothing))
(import "proactor_v1" "open" (func $openNothing (result i32)))
(import "proactor_v1" "abort" (func $abortNothing))
(func (export "_initialize")
  (i32.store16 (i32.const 0x2008) (i32.const 4))
  (i32.store (i32.const 0x202c) (i32.const 1))
  (drop (call $submit (i32.const 0x2000) (i32.const 1))))
(func (export "run") (param $budget i32) (result i32)
  (call $submitNothing)
  (call $pollNothing)
  (drop (call $openNothing))
  (call $abortNothing)
  (i32.const 1))
