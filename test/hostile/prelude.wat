;; What the hostile modules share. Each part can be left out: a module's third line, `;; own: run`, says that it brings
;; its own.
;;
;;   0x0000  completions    0x2000  submissions    0x7000  expected statuses, by slot    0x8000  arena

;; part: imports
(import "proactor_v1" "submit" (func $submit (param i32 i32) (result i32)))
(import "proactor_v1" "poll" (func $poll (param i32 i32 i32 i32) (result i32)))
(import "proactor_v1" "open" (func $open (param i32 i32) (result i32)))
(import "proactor_v1" "abort" (func $abort (param i32 i32 i32 i32 i32 i32)))

;; part: memory
(memory (export "memory") 2)
(data (i32.const 0x6f00) "STOREAPIkeyunexpected")

;; part: helpers
(global $exchange (mut i32) (i32.const 0))
;; The slot of the last submission. 1 is the answer's.
(global $slot (mut i32) (i32.const 1))
;; Submissions that have not completed.
(global $left (mut i32) (i32.const 0))

;; Ends the module's run if two numbers differ. The report's line says where, its column what the first number was.
(func $expect (param $actual i32) (param $expected i32) (param $where i32)
  (if (i32.ne (local.get $actual) (local.get $expected))
    (then (call $abort (i32.const 0x6f0b) (i32.const 10) (i32.const 0x6f0b) (i32.const 10)
      (local.get $where) (local.get $actual)))))

;; Begins a submission at 0x2000.
(func $blank (param $opcode i32) (param $resource i32)
  (memory.fill (i32.const 0x2000) (i32.const 0) (i32.const 64))
  (i32.store16 (i32.const 0x2008) (local.get $opcode))
  (i32.store (i32.const 0x200c) (local.get $resource)))

;; Submits what lies at 0x2000, which must complete with this status.
(func $try (param $expected i32)
  (global.set $slot (i32.add (global.get $slot) (i32.const 1)))
  (global.set $left (i32.add (global.get $left) (i32.const 1)))
  (i32.store (i32.const 0x2000) (global.get $slot))
  (i32.store (i32.add (i32.const 0x7000) (i32.shl (global.get $slot) (i32.const 2))) (local.get $expected))
  (call $expect (call $submit (i32.const 0x2000) (i32.const 1)) (i32.const 1) (global.get $slot)))

(func $store (result i32) (call $open (i32.const 0x6f00) (i32.const 5)))
(func $api (result i32) (call $open (i32.const 0x6f05) (i32.const 3)))

(func $respond (param $status i32)
  (call $blank (i32.const 5) (global.get $exchange))
  (i32.store (i32.const 0x2000) (i32.const 1))
  (i32.store (i32.const 0x202c) (local.get $status))
  (drop (call $submit (i32.const 0x2000) (i32.const 1))))

;; part: _initialize
(func (export "_initialize")
  (call $blank (i32.const 4) (i32.const 0))
  (i32.store (i32.const 0x202c) (i32.const 1))
  (drop (call $submit (i32.const 0x2000) (i32.const 1))))

;; part: run
(func (export "run") (param $budget i32) (result i32)
  (local $count i32) (local $record i32)
  (local.set $count (call $poll (i32.const 0) (i32.const 256) (i32.const 0x8000) (i32.const 0x8000)))
  (call $expect (i32.lt_s (local.get $count) (i32.const 0)) (i32.const 0) (i32.const 1))
  (loop $next
    (if (i32.lt_u (local.get $record) (i32.shl (local.get $count) (i32.const 5)))
      (then
        (if (i32.and (i32.load offset=12 (local.get $record)) (i32.const 1))
          (then
            (global.set $exchange (i32.load offset=16 (local.get $record)))
            (global.set $slot (i32.const 1))
            (global.set $left (i32.const 0))
            (call $request))
          (else (call $completed (local.get $record))))
        (local.set $record (i32.add (local.get $record) (i32.const 32)))
        (br $next))))
  (local.get $count))

;; part: completed
(func $completed (param $record i32)
  (local $slot i32)
  (local.set $slot (i32.load (local.get $record)))
  ;; Freed without a handler: the context that waited for it has ended.
  (if (i32.and (i32.load offset=12 (local.get $record)) (i32.const 2)) (then (return)))
  (if (i32.lt_u (local.get $slot) (i32.const 2)) (then (return)))
  (call $expect
    (i32.load offset=8 (local.get $record))
    (i32.load (i32.add (i32.const 0x7000) (i32.shl (local.get $slot) (i32.const 2))))
    (local.get $slot))
  (global.set $left (i32.sub (global.get $left) (i32.const 1)))
  (if (i32.eqz (global.get $left)) (then (call $respond (i32.const 204)))))

;; part: healthy
;; What the last request runs instead of `run`: whatever the module has done before, this must work.
(import "proactor_v1" "submit" (func $healthySubmit (param i32 i32) (result i32)))
(import "proactor_v1" "poll" (func $healthyPoll (param i32 i32 i32 i32) (result i32)))
(func (export "healthy") (param $budget i32) (result i32)
  (local $count i32) (local $record i32)
  (local.set $count (call $healthyPoll (i32.const 0) (i32.const 128) (i32.const 0x8000) (i32.const 0x8000)))
  (loop $next
    (if (i32.lt_u (local.get $record) (i32.shl (local.get $count) (i32.const 5)))
      (then
        (if (i32.and (i32.load offset=12 (local.get $record)) (i32.const 1))
          (then
            (memory.fill (i32.const 0x2000) (i32.const 0) (i32.const 64))
            (i32.store (i32.const 0x2000) (i32.const 1))
            (i32.store16 (i32.const 0x2008) (i32.const 5))
            (i32.store (i32.const 0x200c) (i32.load offset=16 (local.get $record)))
            (i32.store (i32.const 0x202c) (i32.const 200))
            (drop (call $healthySubmit (i32.const 0x2000) (i32.const 1)))))
        (local.set $record (i32.add (local.get $record) (i32.const 32)))
        (br $next))))
  (local.get $count))
