;; Polls in one turn until nothing is left, and submits a noop for each that it takes, for ever. The turn's budget ends it.
;; outcome: 204
;; calls: many
;; own: run
(global $taken (mut i32) (i32.const 0))
(func (export "run") (param $budget i32) (result i32)
  (local $count i32) (local $all i32)
  (loop $again
    (local.set $count (call $poll (i32.const 0) (i32.const 1) (i32.const 0x8000) (i32.const 0x8000)))
    (if (local.get $count)
      (then
        (local.set $all (i32.add (local.get $all) (i32.const 1)))
        (if (i32.and (i32.load (i32.const 12)) (i32.const 1))
          (then
            (global.set $exchange (i32.load (i32.const 16)))
            (global.set $taken (i32.const 0))))
        ;; Two thousand, which is several budgets.
        (global.set $taken (i32.add (global.get $taken) (i32.const 1)))
        (if (i32.lt_u (global.get $taken) (i32.const 2000))
          (then
            (call $blank (i32.const 0) (i32.const 0))
            (call $expect (call $submit (i32.const 0x2000) (i32.const 1)) (i32.const 1) (i32.const 100)))
          (else (if (i32.eq (global.get $taken) (i32.const 2000)) (then (call $respond (i32.const 204))))))
        (br $again))))
  (call $expect (i32.gt_u (local.get $all) (local.get $budget)) (i32.const 0) (i32.const 101))
  (local.get $all))
