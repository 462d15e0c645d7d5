;; Submits a million noops in one turn, 4,096 at a time, whatever the host says.
;; outcome: 204
;; calls: many
;; own: completed
(func $request
  (local $batch i32)
  ;; All of it zero: noops, all with the same token.
  (if (i32.lt_u (memory.size) (i32.const 8)) (then (drop (memory.grow (i32.const 6)))))
  (loop $next
    (drop (call $submit (i32.const 0x20000) (i32.const 4096)))
    (local.set $batch (i32.add (local.get $batch) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $batch) (i32.const 245))))
  (call $respond (i32.const 204)))
(func $completed (param $record i32))
