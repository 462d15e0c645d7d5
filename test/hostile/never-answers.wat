;; Takes the request and does nothing.
;; outcome: 500 unanswered
(func $request)
