;; What a binding generator makes of such a world, by hand and without what is not needed.
;;
;; An import lowered synchronously suspends the caller until it has returned. One lowered asynchronously returns at once:
;; the state of the subtask, and its handle if it has not returned yet. An export lifted with a callback returns what it
;; waits for, and its callback is called with each event.

(module
  (import "bench:peer/host" "nothing" (func $nothing))
  (import "bench:peer/host" "sleep" (func $sleep))
  (import "bench:peer/host" "[async-lower]nothing" (func $start_nothing (result i32)))
  (import "bench:peer/host" "[async-lower]sleep" (func $start_sleep (result i32)))
  (import "$root" "[subtask-drop]" (func $subtask_drop (param $subtask i32)))
  (import "$root" "[waitable-set-new]" (func $waitable_set_new (result i32)))
  (import "$root" "[waitable-join]" (func $waitable_join (param $waitable i32) (param $set i32)))
  (import "[export]$root" "[task-return]batches" (func $return_batches (param $completed i32)))
  (import "[export]$root" "[task-return]pummel" (func $return_pummel (param $completed i32)))
  (import "[export]$root" "[task-return]sleeps" (func $return_sleeps (param $completed i32)))

  ;; One call of these exports is under way at a time.
  (global $set (mut i32) (i32.const 0))
  (global $count (mut i32) (i32.const 0))
  (global $size (mut i32) (i32.const 0))
  (global $started (mut i32) (i32.const 0))
  (global $completed (mut i32) (i32.const 0))

  ;; Straight-line code.

  (func (export "chain") (param $count i32) (result i32) (local $completed i32)
    (loop $next
      (if (i32.lt_u (local.get $completed) (local.get $count)) (then
        (call $nothing)
        (local.set $completed (i32.add (local.get $completed) (i32.const 1)))
        (br $next))))
    (local.get $completed))

  (func (export "latency") (param $count i32) (result i32) (local $completed i32)
    (loop $next
      (if (i32.lt_u (local.get $completed) (local.get $count)) (then
        (call $sleep)
        (local.set $completed (i32.add (local.get $completed) (i32.const 1)))
        (br $next))))
    (local.get $completed))

  ;; Callbacks.

  (func $begin (param $count i32) (param $size i32)
    (if (i32.eqz (global.get $set)) (then (global.set $set (call $waitable_set_new))))
    (global.set $count (local.get $count))
    (global.set $size (local.get $size))
    (global.set $started (i32.const 0))
    (global.set $completed (i32.const 0)))

  ;; Counts one that has been started: waits for it, unless it has returned already.
  (func $started (param $status i32)
    (global.set $started (i32.add (global.get $started) (i32.const 1)))
    (if (i32.eq (i32.and (local.get $status) (i32.const 0xf)) (i32.const 2 (; RETURNED ;)))
      (then (call $complete))
      (else (call $waitable_join (i32.shr_u (local.get $status) (i32.const 4)) (global.get $set)))))

  (func $complete
    (global.set $completed (i32.add (global.get $completed) (i32.const 1))))

  ;; Takes an event: a subtask that has returned is one operation completed.
  (func $take (param $event i32) (param $waitable i32) (param $state i32)
    (if (i32.and
          (i32.eq (local.get $event) (i32.const 1 (; SUBTASK ;)))
          (i32.eq (local.get $state) (i32.const 2 (; RETURNED ;))))
      (then
        (call $subtask_drop (local.get $waitable))
        (call $complete))))

  ;; What an export returns to its event loop.
  (func $exit (result i32) (i32.const 0))
  (func $wait (result i32) (i32.or (i32.const 2) (i32.shl (global.get $set) (i32.const 4))))

  (func $start_until (param $end i32)
    (loop $next
      (if (i32.lt_u (global.get $started) (local.get $end)) (then
        (call $started (call $start_nothing))
        (br $next)))))

  (func $next_batch (result i32)
    (loop $next
      (if (i32.lt_u (global.get $completed) (global.get $started)) (then (return (call $wait))))
      (if (i32.lt_u (global.get $started) (global.get $count)) (then
        (call $start_until (i32.add (global.get $started) (global.get $size)))
        (br $next))))
    (call $return_batches (global.get $completed))
    (call $exit))

  (func (export "[async-lift]batches") (param $count i32) (param $size i32) (result i32)
    (call $begin (local.get $count) (local.get $size))
    (call $next_batch))
  (func (export "[callback][async-lift]batches") (param $event i32) (param $waitable i32) (param $state i32) (result i32)
    (call $take (local.get $event) (local.get $waitable) (local.get $state))
    (call $next_batch))

  (func $keep_in_flight (result i32) (local $end i32)
    (loop $next
      (local.set $end (i32.add (global.get $completed) (global.get $size)))
      (if (i32.gt_u (local.get $end) (global.get $count)) (then (local.set $end (global.get $count))))
      (call $start_until (local.get $end))
      (if (i32.eq (global.get $completed) (global.get $count)) (then
        (call $return_pummel (global.get $completed))
        (return (call $exit))))
      ;; What has returned at once leaves room for more.
      (br_if $next (i32.and
        (i32.lt_u (i32.sub (global.get $started) (global.get $completed)) (global.get $size))
        (i32.lt_u (global.get $started) (global.get $count)))))
    (call $wait))

  (func (export "[async-lift]pummel") (param $count i32) (param $size i32) (result i32)
    (call $begin (local.get $count) (local.get $size))
    (call $keep_in_flight))
  (func (export "[callback][async-lift]pummel") (param $event i32) (param $waitable i32) (param $state i32) (result i32)
    (call $take (local.get $event) (local.get $waitable) (local.get $state))
    (call $keep_in_flight))

  (func $next_sleep (result i32)
    (loop $next
      (if (i32.lt_u (global.get $completed) (global.get $started)) (then (return (call $wait))))
      (if (i32.lt_u (global.get $started) (global.get $count)) (then
        (call $started (call $start_sleep))
        (br $next))))
    (call $return_sleeps (global.get $completed))
    (call $exit))

  (func (export "[async-lift]sleeps") (param $count i32) (result i32)
    (call $begin (local.get $count) (i32.const 1))
    (call $next_sleep))
  (func (export "[callback][async-lift]sleeps") (param $event i32) (param $waitable i32) (param $state i32) (result i32)
    (call $take (local.get $event) (local.get $waitable) (local.get $state))
    (call $next_sleep))
)
