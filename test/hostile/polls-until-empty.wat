;; Polls until nothing is left, as an honest guest may, and never answers.
;; outcome: 500 unanswered
;; own: run completed
(func (export "run") (param $budget i32) (result i32)
  (local $all i32)
  (loop $again
    (if (call $poll (i32.const 0) (i32.const 16) (i32.const 0x8000) (i32.const 0x8000))
      (then
        (local.set $all (i32.add (local.get $all) (i32.const 1)))
        (br $again))))
  (local.get $all))
