package proactor

import "net/http"

// Respond: answers an exchange, once.

var respondProcessor = &processor{
	name:  "respond",
	flags: flagRespondForward,

	decode: func(s *submission, c *ioContext) (work, error) {
		e, err := resourceOf[*exchange](c, s.resource, "exchange")
		if err != nil {
			return nil, err
		}
		if e.response != nil {
			return nil, failed(StatusClosed, "respond: the exchange was answered before")
		}
		from, err := c.sourceOf(s, s.argument1)
		if err != nil {
			return nil, err
		}
		answer := respond
		if s.flags&flagRespondForward != 0 {
			answer = forward
		}
		response, err := answer(s, from)
		if err != nil {
			return nil, err
		}
		return func(o *operation) {
			e.response = response
			o.succeed(outcome{})
		}, nil
	},

	relieves: func(s *submission, c *ioContext) bool {
		e, ok := c.resource(s.resource).(*exchange)
		return ok && e.response == nil
	},
}

func respond(s *submission, from source) (*response, error) {
	pairs, err := s.metaPairs()
	if err != nil {
		return nil, err
	}
	// Looked at before the body is taken: if they are refused, it must still be there to be used or let go of.
	headers, err := checkHeaders(pairs)
	if err != nil {
		return nil, err
	}
	status := s.argument0
	if status < 200 || status > 599 {
		return nil, failed(StatusInvalid, "respond: %d is no status from 200 to 599", status)
	}
	if isBodyless(int(status)) && (from != nil || s.dataBytes > 0) {
		return nil, failed(StatusInvalid, "respond: a response with status %d has no body", status)
	}
	answer := &response{status: int(status), headers: headers}
	if from == nil {
		answer.bytes = s.data()
		return answer, nil
	}
	content, err := from.take()
	answer.stream = &content
	return answer, err
}

// forward sends the upstream's response as it is.
func forward(s *submission, from source) (*response, error) {
	upstream, ok := from.(*body)
	if !ok {
		return nil, failed(StatusBadResource,
			"respond: only a response whose body stays on the host can be forwarded: fetch it without withBody()")
	}
	pairs, err := s.metaPairs()
	if err != nil {
		return nil, err
	}
	added, err := checkHeaders(pairs)
	if err != nil {
		return nil, err
	}
	content, err := upstream.take()
	if err != nil {
		return nil, err
	}
	received := upstream.response
	return &response{status: received.StatusCode, upstream: received.Header, headers: added, stream: &content}, nil
}

// isBodyless tells of statuses that HTTP sends without a body.
func isBodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified
}
