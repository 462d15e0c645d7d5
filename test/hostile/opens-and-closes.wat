;; Fills the host with noops, then opens a grant and closes it again, twenty thousand times in one turn.
;; outcome: 204
;; calls: many
;; own: completed
(func $request
  (local $again i32) (local $admitted i32)
  (if (i32.lt_u (memory.size) (i32.const 8)) (then (drop (memory.grow (i32.const 6)))))
  (loop $full
    (br_if $full (i32.eq (call $submit (i32.const 0x20000) (i32.const 4096)) (i32.const 4096))))
  (loop $next
    (call $blank (i32.const 2) (call $store))
    (local.set $admitted (i32.add (local.get $admitted) (call $submit (i32.const 0x2000) (i32.const 1))))
    (local.set $again (i32.add (local.get $again) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $again) (i32.const 20000))))
  ;; To close a grant makes no room.
  (call $expect (local.get $admitted) (i32.const 0) (i32.const 100))
  (call $respond (i32.const 204)))
(func $completed (param $record i32))
