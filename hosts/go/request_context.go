package proactor

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
)

// requestContext is one incoming request, from its accept to its response and the end of what it started.
//
// It is quiet when nothing is in flight and nothing is pending. Quiet after the response is the end; quiet before it would
// be a request that never ends, and is answered 500 at once.
type requestContext struct {
	ioContext
	exchange exchange
	failure  *contextFailure
	ended    bool
	// Closed when there is an answer, and when all has ended; nil if nobody waits.
	answered chan struct{}
	over     chan struct{}
	told     bool

	// What work has brought and no turn has taken yet. Any goroutine may put something in.
	mail struct {
		sync.Mutex
		first, last *operation
		// Whether a turn will come that takes it.
		scheduled bool
	}

	// Its neighbours among the proactor's, whose mutex guards them.
	before, behind *requestContext
}

func newRequestContext(i *instance, request *http.Request) *requestContext {
	c := &requestContext{}
	c.instance, c.request = i, c
	c.exchange.request = request
	return c
}

// line names the request in reports.
func (c *requestContext) line() string {
	return c.exchange.request.Method + " " + urlOf(c.exchange.request)
}

func (c *requestContext) isAnswered() bool { return c.exchange.response != nil || c.failure != nil }

// response is what the client gets, once there is an answer.
func (c *requestContext) response() *response {
	if c.exchange.response != nil {
		return c.exchange.response
	}
	return c.failure.response()
}

// due is how many completions wait for a turn, which delivers what belongs to no request too.
func (c *requestContext) due() int { return c.pending.length + c.instance.own.pending.length }

// Turns.

// begin delivers the request as a completion of the instance's accept. The caller owns the instance.
func (c *requestContext) begin() {
	c.instance.active = c
	defer c.recover()
	accept := c.instance.accept()
	if accept == nil {
		c.giveUp("The module accepts no requests: call serve() while it starts.", nil, "")
		return
	}
	c.pending.push(&completion{
		slot:       accept.slot,
		generation: accept.generation,
		opcode:     accept.opcode,
		flags:      flagMore,
		resource:   c.addResource(&c.exchange),
		payload:    encodeHead(c.exchange.request, c.instance.wantsHeaders),
		auxiliary:  eventFetch,
	})
	c.step()
}

// turn takes the mail and lets the guest run. It must not be called by who owns an instance.
func (c *requestContext) turn() {
	c.instance.mutex.Lock()
	defer c.instance.unlock()
	defer c.recover()
	c.instance.active = c
	c.takeMail()
	if !c.ended {
		c.step()
	}
}

// onTimer is a turn for what is due by now.
func (c *requestContext) onTimer() {
	c.instance.mutex.Lock()
	defer c.instance.unlock()
	defer c.recover()
	c.instance.active = c
	// What has succeeded by now has not timed out.
	hadMail := c.takeMail()
	if c.ended {
		return
	}
	if c.deadlines.expireDue() || hadMail {
		c.step()
	}
}

// deliver hands over what the work of an operation has brought. On the goroutine of the work.
func (c *requestContext) deliver(o *operation) {
	c.mail.Lock()
	if c.mail.last == nil {
		c.mail.first = o
	} else {
		c.mail.last.nextMail = o
	}
	c.mail.last = o
	c.mail.Unlock()
	c.plan(func(turn func()) { c.instance.proactor.platform.Turn(turn) })
}

// schedule has a turn run on a goroutine of its own.
func (c *requestContext) schedule() {
	platform := c.instance.proactor.platform
	c.plan(func(turn func()) { platform.Go(func() {}, func() { platform.Turn(turn) }) })
}

// plan sees to it that one turn will come, and not more.
func (c *requestContext) plan(start func(turn func())) {
	c.mail.Lock()
	wasScheduled := c.mail.scheduled
	c.mail.scheduled = true
	c.mail.Unlock()
	if !wasScheduled {
		start(c.turn)
	}
}

// takeMail gives their results to operations. All that has settled by now is delivered by one run.
func (c *requestContext) takeMail() bool {
	c.mail.Lock()
	first := c.mail.first
	c.mail.first, c.mail.last, c.mail.scheduled = nil, nil, false
	c.mail.Unlock()
	for o := first; o != nil; {
		next, then := o.nextMail, o.then
		o.nextMail, o.then = nil, nil
		then()
		o = next
	}
	return first != nil
}

// step lets the guest run, and looks what has become of the context.
func (c *requestContext) step() {
	p := c.instance.proactor
	isLast := p.mode() == shutdownNow
	if isLast {
		c.inFlight.each(func(o *operation) { o.end(StatusShutDown, shutDown.Detail) })
	}
	trap := c.instance.run(c)
	switch {
	case trap != nil:
		p.trapped(c, trap)
	case isLast:
		c.fail(shutDown)
	case c.due() > 0:
		// Others go first; the context's timer comes back.
		c.allDeadlines().add(0, func() {}, p.platform.Now())
	case c.inFlight.count == 0:
		c.fallSilent()
	}
	c.tell()
}

// tell lets the goroutine of the request know of the answer.
func (c *requestContext) tell() {
	if c.answered != nil && c.isAnswered() && !c.told {
		c.told = true
		c.instance.effects.answers = append(c.instance.effects.answers, c)
	}
}

// recover: on the goroutine of a timer or of a store nobody else could answer.
func (c *requestContext) recover() {
	if cause := recover(); cause != nil {
		err := fmt.Errorf("%v\n%s", cause, debug.Stack())
		c.instance.report(Report{Kind: KindUnexpected, Message: err.Error(), Request: c.line(), Cause: err})
		c.fail(unexpected)
	}
}

// The end.

func (c *requestContext) fallSilent() {
	last := c.instance.queue.last()
	switch {
	case c.exchange.response != nil:
		c.end()
	case c.instance.proactor.mode() != running:
		c.fail(shutDown)
	case last == nil:
		c.giveUp("No handler ran.", nil, "")
	case last.opcode == opcodeRespond && last.status < 0:
		c.giveUp("The answer was refused, and no other came.", last, " "+string(last.payload))
	default:
		what := fmt.Sprintf("The handler of %s ran last and started nothing", last.name())
		c.giveUp(what+": answer with exchange.respond() on every path.", last, "")
	}
}

// giveUp answers at once what would never be answered. Why is for the owner alone: it may quote what the guest sent.
func (c *requestContext) giveUp(detail string, last *completion, why string) {
	report := Report{Kind: KindUnanswered, Message: detail + why, Request: c.line()}
	report.handler(last)
	c.instance.report(report)
	c.fail(&contextFailure{"unanswered", detail})
}

// waits tells whether it waits for another context, in a way that the guest alone knows.
func (c *requestContext) waits() bool {
	for o := c.inFlight.first; o != nil; o = o.behind {
		if o.opcode == opcodeWait {
			return true
		}
	}
	return false
}

// abandon ends the context of a client that is gone, unless there is an answer. It tells whether it did.
func (c *requestContext) abandon() bool {
	c.instance.mutex.Lock()
	defer c.instance.unlock()
	if c.isAnswered() {
		return false
	}
	c.instance.proactor.counters.killed.Add(1)
	c.fail(abandoned)
	return true
}

// fail ends this context without waiting for the guest. The caller owns the instance.
func (c *requestContext) fail(failure *contextFailure) {
	if c.ended {
		return
	}
	c.failure = failure
	c.end()
	c.tell()
}

func (c *requestContext) end() {
	c.ended = true
	c.ioContext.abandon()
	c.instance.proactor.release(c)
	c.letGo()
	if c.over != nil {
		close(c.over)
	}
}

// handler names the handler of a completion in a report.
func (r *Report) handler(c *completion) {
	if c != nil {
		r.Operation, r.Token = c.name(), Token{c.slot, c.generation}
	}
}

// trapReport tells of a trap while the module's memory can still be read.
func trapReport(c *requestContext, cause error) Report {
	report := Report{Kind: KindTrap, Message: messageOf(cause), Request: c.line(), Cause: cause}
	var abort *guestAbort
	if errors.As(cause, &abort) {
		report.Message, report.Place = abort.message, &abort.place
	}
	report.handler(c.instance.queue.running())
	return report
}
