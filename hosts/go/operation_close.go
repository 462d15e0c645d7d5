package proactor

// Close: gives a resource back; what is in flight on it ends as Cancelled.

var closeProcessor = &processor{
	name: "close",

	decode: func(s *submission, c *ioContext) (work, error) {
		number := s.resource
		// A grant outlives the request, so a request cannot give it back: the next one would miss it.
		if c.resources.get(number) == nil {
			if c.resource(number) != nil {
				return nil, failed(StatusNotPermitted, "close: a grant cannot be closed")
			}
			return nil, failed(StatusBadResource, "close: no such resource here")
		}
		return func(o *operation) {
			c.closeResource(number)
			o.succeed(outcome{})
		}, nil
	},

	// Not of a grant: a guest could open and close one for ever, and each Close would have to wait for its completion.
	relieves: func(s *submission, c *ioContext) bool {
		_, isSource := c.resource(s.resource).(source)
		return isSource
	},
}
