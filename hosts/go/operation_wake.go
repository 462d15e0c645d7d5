package proactor

// Wake: completes a wait, in whichever request that is.

var wakeProcessor = &processor{
	name: "wake",

	decode: func(s *submission, c *ioContext) (work, error) {
		waiting := waiterOf(s, c)
		return func(o *operation) {
			if waiting != nil {
				waiting.succeed(outcome{})
			}
			o.succeed(outcome{})
		}, nil
	},

	relieves: func(s *submission, c *ioContext) bool { return waiterOf(s, c) != nil },
}

func waiterOf(s *submission, c *ioContext) *operation {
	o := c.find(s.argument0, s.argument1)
	if o == nil {
		o = c.instance.proactor.find(c.instance, s.argument0, s.argument1)
	}
	if o == nil || o.opcode != opcodeWait {
		return nil
	}
	return o
}
