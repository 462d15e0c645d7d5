package proactor

// Timer: completes once, no earlier than the given number of milliseconds.

var timerProcessor = &processor{
	name: "timer",

	decode: func(s *submission, _ *ioContext) (work, error) {
		ms := s.argument0
		if ms > timerMsMax {
			return nil, failed(StatusInvalid, "timer: at most %d ms", timerMsMax)
		}
		return func(o *operation) { o.completeAfter(ms) }, nil
	},
}
