;; Aborts in its start function.
;; outcome: refused
(func $begin (call $abort (i32.const 0x6f00) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1)))
(start $begin)
(func $request)
