;; Polls records and payloads into the same bytes, and submits with all arguments in the record itself.
;; outcome: 204
;; own: run
(func $request
  (call $blank (i32.const 8) (call $store))
  (i32.store (i32.const 0x2014) (i32.const 0x2000))
  (i32.store (i32.const 0x2018) (i32.const 64))
  (i32.store (i32.const 0x201c) (i32.const 0x2010))
  (i32.store (i32.const 0x2020) (i32.const 48))
  (i32.store (i32.const 0x2024) (i32.const 0x1fff))
  (i32.store (i32.const 0x2028) (i32.const 64))
  ;; Sixty-four bytes of record are a key that is not there.
  (call $try (i32.const -7)))
(func (export "run") (param $budget i32) (result i32)
  (local $count i32)
  ;; In the second turn the arena begins at the records: what comes first is overwritten by what comes second.
  (local.set $count (call $poll (i32.const 0) (i32.const 1)
    (select (i32.const 0) (i32.const 0x8000) (global.get $left)) (i32.const 0x2000)))
  (call $expect (local.get $count) (i32.const 1) (i32.const 1))
  (if (global.get $left)
    (then
      (global.set $left (i32.const 0))
      (call $respond (i32.const 204)))
    (else (if (i32.and (i32.load (i32.const 12)) (i32.const 1))
      (then
        (global.set $exchange (i32.load (i32.const 16)))
        (call $request)))))
  (local.get $count))
