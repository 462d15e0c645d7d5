;; Submits its accept, and traps before it has started.
;; outcome: refused
;; own: _initialize
(func (export "_initialize")
  (call $blank (i32.const 4) (i32.const 0))
  (i32.store (i32.const 0x202c) (i32.const 1))
  (drop (call $submit (i32.const 0x2000) (i32.const 1)))
  (unreachable))
(func $request)
