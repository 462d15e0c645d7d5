package proactor

import (
	"context"
	"fmt"
	"io"
	"time"
)

// messageBytesMax bounds a failure's message: libraries put whole documents into theirs.
const messageBytesMax = 1024

// completion is what poll writes as one record.
type completion struct {
	slot, generation uint32
	opcode           opcode
	status           Status
	flags            uint32
	resource         uint32
	payload          []byte
	auxiliary        uint32
	// What waits behind it.
	next *completion
	// Whether poll has told the guest that its arena is too small for this one.
	demanded bool
	// The operation that it completes; nil for an incoming request and for a slot to be reclaimed.
	operation *operation
}

// outcome is how an operation succeeded.
type outcome struct {
	auxiliary uint32
	payload   []byte
	// A response whose body the guest gets as a resource.
	body *body
}

// work is what an operation does: it settles it at once, or arranges that it is settled later.
type work func(*operation)

// processor is the host's half of one kind of operation.
type processor struct {
	// As the guest's author knows it.
	name string
	// Whether it belongs to the instance rather than to the context that submits it.
	ofInstance bool
	// The operation's own submission flags.
	flags uint32
	// decode reads and checks the arguments, inside submit, and says what to do. If it fails it has changed nothing.
	decode func(*submission, *ioContext) (work, error)
	// relieves tells whether this is admitted even when the host is full: it makes room, or ends what holds it.
	relieves func(*submission, *ioContext) bool
	// Whether it only tells the host something, which it hears even when it is full or shutting down.
	tells bool
}

// operation is one submission from its admission to its final completion. The owner of the instance alone touches it;
// what its work brings on another goroutine waits in the context's mail.
type operation struct {
	completion
	context *ioContext
	// Whether the final completion is decided. What comes later is disposed of.
	settled bool
	// The resource that it works on; closing that one cancels this.
	target    uint32
	heldBytes uint64
	detached  bool
	deadline  *deadline
	since     time.Time

	// The context of its work, made on demand, and what ends it.
	ctx    context.Context
	cancel context.CancelFunc
	// What is being read, or is to be sent. Closing it ends that.
	reading io.Closer
	// What waits for a connection.
	start func()
	// What the owner does with the result of its work, and what waits behind it in the mail.
	then     func()
	nextMail *operation
	// Its neighbours among the operations in flight.
	before, behind *operation
}

// begin makes the operation that of a submission. Everything else in it is zero.
func (o *operation) begin(c *ioContext, s *submission) {
	o.context = c
	o.target = s.resource
	o.heldBytes = s.argumentBytes()
	o.detached = s.flags&flagDetached != 0
	o.slot, o.generation, o.opcode = s.slot, s.generation, s.opcode
	o.operation = o
}

func (o *operation) proactor() *Proactor { return o.context.instance.proactor }

// perform has work done on a goroutine of its own; then is called by the owner, even if the operation is settled.
// What panics is a store's or a transport's fault, and costs the operation alone.
func (o *operation) perform(work func(context.Context), then func()) {
	ctx := o.signal()
	o.proactor().platform.Go(func() {
		o.then = then
		defer func() {
			if cause := recover(); cause != nil {
				o.then = func() { o.fail(o.panicked(cause)) }
			}
		}()
		work(ctx)
	}, func() {
		o.context.request.deliver(o)
	})
}

// panicked tells the owner, and makes a failure of it.
func (o *operation) panicked(cause any) error {
	err := fmt.Errorf("%s panicked: %v", o.name(), cause)
	o.context.instance.report(Report{Kind: KindUnexpected, Message: err.Error(), Request: o.context.title(), Cause: err})
	return err
}

// signal is the context of the work, which ends when the result is no longer wanted.
func (o *operation) signal() context.Context {
	if o.ctx == nil {
		// The request's values, but not its end: what is begun may outlive the answer.
		values := context.WithoutCancel(o.context.request.exchange.request.Context())
		o.ctx, o.cancel = context.WithCancel(values)
		if o.settled {
			o.cancel()
		}
	}
	return o.ctx
}

// abort tells the work that nobody wants its result.
func (o *operation) abort() {
	if o.cancel != nil {
		o.cancel()
	}
	if o.reading != nil {
		o.context.instance.closeLater(o.reading)
	}
	if o.start != nil {
		o.start = nil
		o.context.connections.leave(o)
		o.proactor().counters.late.Add(1)
	}
}

// setDeadline ends the operation as TimedOut after so many milliseconds.
func (o *operation) setDeadline(ms uint32) {
	o.expireAfter(ms, func() { o.end(StatusTimedOut, "the deadline passed") })
}

// completeAfter ends the operation with success after so many milliseconds.
func (o *operation) completeAfter(ms uint32) {
	o.expireAfter(ms, func() { o.succeed(outcome{}) })
}

// Of a deadline and a timer only the earlier can matter. Both count from the first look at the clock.
func (o *operation) expireAfter(ms uint32, expire func()) {
	if o.since.IsZero() {
		o.since = o.proactor().platform.Now()
	}
	deadlines := o.context.allDeadlines()
	added := deadlines.add(time.Duration(ms)*time.Millisecond, expire, o.since)
	if o.deadline != nil {
		if !o.deadline.due.After(added.due) {
			deadlines.remove(added)
			return
		}
		deadlines.remove(o.deadline)
	}
	o.deadline = added
}

func (o *operation) succeed(result outcome) {
	if o.settled {
		o.dispose(result)
		return
	}
	o.auxiliary = result.auxiliary
	o.payload = result.payload
	if result.body != nil {
		o.resource = o.context.addResource(result.body)
	}
	o.settle()
}

func (o *operation) fail(err error) {
	if o.settled {
		o.proactor().counters.late.Add(1)
		return
	}
	o.failWith(statusOf(err), err.Error())
}

// end ends the operation from outside: its work is aborted and its final completion queued, both in this turn.
func (o *operation) end(status Status, message string) {
	if o.settled {
		return
	}
	o.failWith(status, message)
	o.abort()
}

func (o *operation) failWith(status Status, message string) {
	message = cut(message, messageBytesMax)
	o.status = status
	o.payload = []byte(message)
	o.settle()
	o.reportUnhandled(message)
}

// reportUnhandled tells the host's owner of a failure that no handler waits for.
func (o *operation) reportUnhandled(message string) {
	if !o.detached {
		return
	}
	o.context.instance.report(Report{
		Kind:      KindUnhandled,
		Message:   message,
		Operation: o.name(),
		Token:     Token{o.slot, o.generation},
		Status:    o.status,
		Request:   o.context.title(),
	})
}

func (o *operation) settle() {
	o.settled = true
	if o.deadline != nil {
		o.context.deadlines.remove(o.deadline)
	}
	o.context.settled(o)
}

// dispose lets go of a result that nobody will see, once.
func (o *operation) dispose(result outcome) {
	o.proactor().counters.late.Add(1)
	if result.body != nil {
		o.context.instance.letGo(result.body)
	}
}

func (c *completion) name() string {
	if int(c.opcode) < len(processors) {
		return processors[c.opcode].name
	}
	return fmt.Sprintf("opcode %d", c.opcode)
}

// cut shortens a text, between two characters, and makes it UTF-8.
func cut(text string, bytesMax int) string {
	if len(text) > bytesMax {
		text = text[:bytesMax]
	}
	return toValidUTF8(text)
}
