;; Answers with the body of its own request, and reads and sends the same body besides.
;; outcome: 200
;; own: completed
(func $body (param $opcode i32) (param $slot i32) (param $argument i32)
  (call $blank (local.get $opcode) (global.get $exchange))
  (i32.store (i32.const 0x2000) (local.get $slot))
  (i32.store (i32.const 0x202c) (i32.const 200))
  (i32.store (i32.const 0x2030) (local.get $argument))
  (drop (call $submit (i32.const 0x2000) (i32.const 1))))
(func $request
  (call $body (i32.const 5) (i32.const 10) (global.get $exchange))
  (call $body (i32.const 5) (i32.const 11) (global.get $exchange))
  (call $body (i32.const 6) (i32.const 12) (i32.const 0)))
(func $completed (param $record i32)
  ;; The first has it; for the others it is Closed.
  (call $expect (i32.load offset=8 (local.get $record))
    (select (i32.const 0) (i32.const -11) (i32.eq (i32.load (local.get $record)) (i32.const 10))) (i32.const 100)))
