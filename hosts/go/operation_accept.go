package proactor

// Accept: completes once for each incoming event, until it is cancelled.

var acceptProcessor = &processor{
	name:       "accept",
	ofInstance: true,
	flags:      flagAcceptHeaders,

	decode: func(s *submission, c *ioContext) (work, error) {
		switch {
		case s.argument0 != eventFetch:
			return nil, failed(StatusNotSupported, "accept: this host has events of kind fetch only")
		case s.deadlineMs != 0:
			return nil, failed(StatusInvalid, "accept: has no deadline")
		case c.instance.accept() != nil:
			return nil, failed(StatusInvalid, "accept: one is in flight already; call serve() once")
		}
		wantsHeaders := s.flags&flagAcceptHeaders != 0
		return func(o *operation) {
			c.instance.accepting = o
			c.instance.wantsHeaders = wantsHeaders
		}, nil
	},
}
