;; Takes its completions and answers a negative number.
;; outcome: 500 trap
;; own: run completed
(func (export "run") (param $budget i32) (result i32)
  (drop (call $poll (i32.const 0) (i32.const 256) (i32.const 0x8000) (i32.const 0x8000)))
  (i32.const -1))
