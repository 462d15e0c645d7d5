package proactor

// Cancel: ends another operation; the answer says whether it came in time.

var cancelProcessor = &processor{
	name: "cancel",

	decode: func(s *submission, c *ioContext) (work, error) {
		victim := victimOf(s, c)
		return func(o *operation) {
			// What is not in flight here has completed; the guest's own mark then decides what its handler sees.
			if victim == nil {
				o.succeed(outcome{auxiliary: cancelTooLate})
				return
			}
			victim.end(StatusCancelled, "the guest cancelled it")
			o.succeed(outcome{auxiliary: cancelWon})
		}, nil
	},

	relieves: func(s *submission, c *ioContext) bool { return victimOf(s, c) != nil },
}

// victimOf is the operation to end: one of the same context, or the instance's accept.
func victimOf(s *submission, c *ioContext) *operation {
	if o := c.find(s.argument0, s.argument1); o != nil {
		return o
	}
	return c.instance.own.find(s.argument0, s.argument1)
}
