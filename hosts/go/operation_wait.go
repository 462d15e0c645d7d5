package proactor

// Wait: completes when another operation wakes it.

var waitProcessor = &processor{
	name: "wait",

	// Nobody waits for ever.
	decode: func(_ *submission, c *ioContext) (work, error) {
		return func(o *operation) { o.setDeadline(uint32(c.instance.proactor.limits.WaitMs)) }, nil
	},
}
