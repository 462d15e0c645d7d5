;; Aborts with a message that lies outside memory and a file that has no end.
;; outcome: 500 trap
(func $request
  (call $abort (i32.const -1) (i32.const 100) (i32.const 0x1fff0) (i32.const -1) (i32.const -1) (i32.const -1)))
