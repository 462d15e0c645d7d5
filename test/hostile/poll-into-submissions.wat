;; Lets poll write its records over the submissions that they answer.
;; outcome: 204
;; own: run
(global $turn (mut i32) (i32.const 0))
(func (export "run") (param $budget i32) (result i32)
  (local $count i32)
  (global.set $turn (i32.add (global.get $turn) (i32.const 1)))
  (local.set $count (call $poll (i32.const 0x2000) (i32.const 128) (i32.const 0x8000) (i32.const 0x8000)))
  (if (i32.and (i32.load (i32.const 0x200c)) (i32.const 1))
    (then
      (global.set $exchange (i32.load (i32.const 0x2010)))
      (call $blank (i32.const 0) (i32.const 0))
      ;; Four noops in one batch, at 0x2000 to 0x20ff.
      (memory.fill (i32.const 0x2040) (i32.const 0) (i32.const 192))
      (i32.store (i32.const 0x2000) (i32.const 11))
      (i32.store (i32.const 0x2040) (i32.const 12))
      (i32.store (i32.const 0x2080) (i32.const 13))
      (i32.store (i32.const 0x20c0) (i32.const 14))
      (call $expect (call $submit (i32.const 0x2000) (i32.const 4)) (i32.const 4) (i32.const 100)))
    (else (if (i32.eq (local.get $count) (i32.const 4)) (then
      (call $expect (i32.load (i32.const 0x2000)) (i32.const 11) (i32.const 101))
      (call $expect (i32.load (i32.const 0x2020)) (i32.const 12) (i32.const 102))
      (call $expect (i32.load (i32.const 0x2040)) (i32.const 13) (i32.const 103))
      (call $expect (i32.load (i32.const 0x2060)) (i32.const 14) (i32.const 104))
      (call $respond (i32.const 204))))))
  (local.get $count))
