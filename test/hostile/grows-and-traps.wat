;; Grows its memory after it has polled, and traps: what the host has seen is detached when it asks which handler it was.
;; outcome: 500 trap
(func $request
  (drop (memory.grow (i32.const 1)))
  (unreachable))
