;; Grows its memory before and after every call.
;; outcome: 204
;; own: run
(func $grow (drop (memory.grow (i32.const 1))))
(func $request
  (call $grow)
  (call $blank (i32.const 8) (call $store))
  (call $grow)
  (i32.store (i32.const 0x2014) (i32.const 0x6f08))
  (i32.store (i32.const 0x2018) (i32.const 3))
  (call $try (i32.const -7))
  (call $grow)
  ;; A key in the memory that is new.
  (memory.fill (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 8)) (i32.const 0x61) (i32.const 8))
  (i32.store (i32.const 0x2014) (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 8)))
  (i32.store (i32.const 0x2018) (i32.const 8))
  (call $try (i32.const -7))
  (call $grow))
(func (export "run") (param $budget i32) (result i32)
  (local $count i32) (local $end i32)
  (call $grow)
  ;; Records and payloads at the end of the memory that is new.
  (local.set $end (i32.shl (memory.size) (i32.const 16)))
  (local.set $count (call $poll
    (i32.sub (local.get $end) (i32.const 32)) (i32.const 1)
    (i32.sub (local.get $end) (i32.const 0x8000)) (i32.const 0x7000)))
  (call $grow)
  (call $expect (local.get $count) (i32.const 1) (i32.const 1))
  (if (i32.and (i32.load offset=12 (i32.sub (local.get $end) (i32.const 32))) (i32.const 1))
    (then
      (global.set $exchange (i32.load offset=16 (i32.sub (local.get $end) (i32.const 32))))
      (global.set $slot (i32.const 1))
      (global.set $left (i32.const 0))
      (call $request))
    (else (call $completed (i32.sub (local.get $end) (i32.const 32)))))
  (call $grow)
  (local.get $count))
