;; Defines a memory that threads could share.
;; outcome: any
;; own: memory
(memory (export "memory") 2 64 shared)
(data (i32.const 0x6f00) "STOREAPIkeyunexpected")
(func $request
  (call $blank (i32.const 8) (call $store))
  (i32.store (i32.const 0x2014) (i32.const 0x3000))
  (i32.store (i32.const 0x2018) (i32.const 64))
  (memory.fill (i32.const 0x3000) (i32.const 0x61) (i32.const 64))
  (call $try (i32.const -7)))
