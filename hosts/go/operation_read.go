package proactor

import "context"

// Read: brings the whole body of a request or a response into the guest.

var readProcessor = &processor{
	name: "read",

	decode: func(s *submission, c *ioContext) (work, error) {
		bytesMax := c.bodyBytesMax(s.argument0)
		from, err := resourceOf[source](c, s.resource, "exchange or body")
		if err != nil {
			return nil, err
		}
		content, err := from.take()
		if err != nil {
			return nil, err
		}
		return func(o *operation) { o.read(content, bytesMax, outcome{}, nil) }, nil
	},
}

// read brings a body into the guest, behind a head if there is one.
func (o *operation) read(content payloadBody, bytesMax int, result outcome, head []pair) {
	var bytes []byte
	var err error
	o.reading = content
	o.perform(func(context.Context) { bytes, err = readBody(content, bytesMax) }, func() {
		o.reading = nil
		if err != nil {
			o.fail(err)
			return
		}
		result.payload = bytes
		if head != nil {
			result.payload = encodePairs(head, bytes)
		}
		o.succeed(result)
	})
}
