package proactor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// instance is one instance of the guest, its imports, and the only place that calls its exports.
//
// Who holds the mutex owns the instance and all of its contexts: a goroutine locks it for one turn. That may be the
// goroutine of the request, that of a timer, or the one that has just performed an operation; there is none that waits for
// the others' results, and none is needed. What must not happen under the lock (telling the owner, closing, other
// contexts' turns) is collected in effects and done by unlock.
type instance struct {
	mutex    sync.Mutex
	proactor *Proactor
	// The context that imports get, by which they find the instance.
	ctx    context.Context
	module api.Module
	memory memory
	call   api.Function
	stack  [1]uint64
	// What belongs to no request.
	own ioContext
	// The multishot operation that takes incoming requests.
	accepting *operation
	// Whether the heads of requests have their headers.
	wantsHeaders bool
	// The context on whose behalf the guest runs now, and the one whose turn it is, guest or host.
	current *ioContext
	active  *requestContext
	// Operations whose completion has not been polled.
	admitted int
	// Bytes of arguments that the host holds.
	heldBytes uint64
	// Resources that the guest holds.
	resources    int
	lastResource uint32
	traps        int
	retired      bool
	// Whether the last turn ended in an abort, after which the guest tidies up when it is called again.
	interrupted bool
	submission  submission
	queue       completionQueue
	// Completions that the guest may still take on this turn.
	left int
	// Operations to be used again.
	spare   []*operation
	console console
	effects effects

	// Requests that it serves now, and what it weighs while it is idle. The proactor's mutex guards these two.
	users     int
	idleBytes int
	// Whether it should be replaced once it is idle.
	wornOut atomic.Bool
}

// effects are what follows from a turn once nobody owns the instance any more.
type effects struct {
	reports []Report
	answers []*requestContext
	closing []io.Closer
	woken   []*requestContext
}

// guestAbort unwinds the module's stack from inside abort.
type guestAbort struct {
	message string
	place   Place
}

func (a *guestAbort) Error() string { return a.message }

type instanceKey struct{}

// instanceContext finds the instance of an import's call without allocating.
type instanceContext struct {
	context.Context
	instance *instance
}

func (c *instanceContext) Value(key any) any {
	if key == (instanceKey{}) {
		return c.instance
	}
	return c.Context.Value(key)
}

func instanceOf(ctx context.Context) *instance {
	if own, ok := ctx.(*instanceContext); ok {
		return own.instance
	}
	return ctx.Value(instanceKey{}).(*instance)
}

// newInstance instantiates the module and runs its _initialize.
func newInstance(p *Proactor) (*instance, error) {
	i := &instance{proactor: p}
	i.own.instance = i
	i.ctx = &instanceContext{context.Background(), i}
	i.mutex.Lock()
	defer i.unlock()
	ctx, stop := i.timed()
	defer stop()
	module, err := p.engine.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	i.module = module
	i.memory = memory{module.ExportedMemory("memory")}
	i.call = module.ExportedFunction("run")
	i.submission.memory = i.memory
	i.queue.memory = i.memory
	p.counters.instances.Add(1)
	p.counters.instantiated.Add(1)
	i.current, i.left = &i.own, p.limits.Budget
	_, err = module.ExportedFunction("_initialize").Call(ctx)
	i.current = nil
	if err != nil {
		i.retire()
	}
	return i, err
}

// unlock ends the ownership, and does what follows from the turn.
func (i *instance) unlock() {
	effects := i.effects
	i.effects.reports, i.effects.answers, i.effects.closing, i.effects.woken = nil, nil, nil, nil
	i.active = nil
	i.mutex.Unlock()
	for _, report := range effects.reports {
		i.proactor.tell(report)
	}
	for _, context := range effects.answers {
		close(context.answered)
	}
	for _, closer := range effects.closing {
		closer.Close()
	}
	for _, context := range effects.woken {
		context.schedule()
	}
}

func (i *instance) report(report Report) { i.effects.reports = append(i.effects.reports, report) }

// letGo lets go of a response that nobody will read.
func (i *instance) letGo(b *body) {
	if content, err := b.take(); err == nil {
		i.closeLater(content)
	}
}

// closeLater closes once nobody owns the instance: it may take a while.
func (i *instance) closeLater(closer io.Closer) {
	i.effects.closing = append(i.effects.closing, closer)
}

// wake makes sure that a turn of this context will deliver what is pending.
func (i *instance) wake(c *requestContext) {
	if c != i.active && !c.ended {
		i.effects.woken = append(i.effects.woken, c)
	}
}

// accept is the operation that takes incoming requests; once it has ended there is none.
func (i *instance) accept() *operation {
	if i.accepting == nil || i.accepting.settled {
		return nil
	}
	return i.accepting
}

// retire takes the instance out of use. It is not called again.
func (i *instance) retire() {
	if i.retired {
		return
	}
	i.retired = true
	i.proactor.counters.instances.Add(-1)
	i.proactor.counters.inFlight.Add(int64(-i.admitted))
	i.module.Close(i.ctx)
}

func (i *instance) memoryBytes() int { return int(i.memory.Size()) }

// weigh looks whether the instance should be replaced once it is idle: neither its memory nor its numbers ever come
// back, and one whose guest has cancelled the accept serves nobody.
func (i *instance) weigh() {
	i.wornOut.Store(i.retired || i.memoryBytes() > i.proactor.limits.MemoryBytes ||
		i.lastResource > resourceMax/2 || i.acceptHasEnded())
}

// acceptHasEnded tells whether the guest takes no further request; one that never accepted is another matter.
func (i *instance) acceptHasEnded() bool { return i.accepting != nil && i.accepting.settled }

// owesTurn tells whether the guest has something to do that belongs to no request: what an ended one held may be
// another's now.
func (i *instance) owesTurn() bool { return i.interrupted || i.own.pending.length > 0 }

// Calls into the module.

// run runs turns of a context until nothing is pending or others should be served. It returns what ended them otherwise.
func (i *instance) run(c *requestContext) error {
	i.current = &c.ioContext
	defer func() { i.current = nil }()
	limits := &i.proactor.limits
	for turns := 0; turns < limits.Runs && (c.due() > 0 || i.interrupted); turns++ {
		isDue := c.due() > 0
		i.interrupted = false
		i.left = limits.Budget
		err := i.turn(limits.Budget)
		if err == nil && isDue && i.left == limits.Budget {
			err = errors.New("run() took none of the completions")
		}
		if err != nil {
			i.interrupted = true
			return err
		}
	}
	return nil
}

func (i *instance) turn(budget int) error {
	ctx, stop := i.timed()
	defer stop()
	i.stack[0] = uint64(budget)
	if err := i.call.CallWithStack(ctx, i.stack[:]); err != nil {
		return err
	}
	if result := int32(i.stack[0]); result < 0 {
		return fmt.Errorf("run() answered %d", result)
	}
	return nil
}

// timed is the context of one call into the module, which ends it when it takes too long.
func (i *instance) timed() (context.Context, context.CancelFunc) {
	ms := i.proactor.limits.RunMs
	if ms == 0 {
		return i.ctx, func() {}
	}
	return context.WithTimeout(i.ctx, time.Duration(ms)*time.Millisecond)
}

// reclaim arranges that the guest frees the slots of a context that is over. Their handlers are not called.
func (i *instance) reclaim(c *ioContext) {
	c.inFlight.each(func(o *operation) { i.reclaimSlot(&o.completion) })
	for c.pending.length > 0 {
		i.reclaimSlot(c.pending.shift())
	}
}

func (i *instance) reclaimSlot(c *completion) {
	// A request's head came under the token of the accept, which lives on.
	if c.flags&flagMore != 0 {
		return
	}
	i.own.pending.push(&completion{
		slot: c.slot, generation: c.generation, opcode: c.opcode, status: StatusShutDown, flags: flagReclaim,
	})
}

// takeResourceNumber is a number for a resource that the guest holds from now on.
func (i *instance) takeResourceNumber() uint32 {
	i.resources++
	i.lastResource++
	return i.lastResource
}

// submit

func (i *instance) submit(at, count uint32) Status {
	c := i.current
	if c == nil {
		return StatusInvalid
	}
	if count > submitCountMax {
		return StatusTooBig
	}
	records, ok := i.memory.records(at, count, submissionBytes)
	if !ok {
		return StatusFault
	}
	s := &i.submission
	for index := range int(count) {
		s.read(records[index*submissionBytes:])
		if !i.admit(s, c) {
			i.refuse(s, c)
			return Status(index)
		}
	}
	return Status(count)
}

// refuse: where no handler waits, the guest cannot tell anybody. A cancel or a wake that comes too late is no loss.
func (i *instance) refuse(s *submission, c *ioContext) {
	i.proactor.counters.refused.Add(1)
	if s.opcode == opcodeCancel || s.opcode == opcodeWake || i.hear(s, c) {
		return
	}
	o := i.newOperation(c, s)
	o.status = StatusAgain
	o.reportUnhandled("the host is at its limit")
}

// hear takes note of what only tells the host something.
func (i *instance) hear(s *submission, c *ioContext) bool {
	processor := processorOf(s.opcode)
	if processor == nil || !processor.tells {
		return false
	}
	_, err := i.decode(s, i.newOperation(c, s), processor)
	return err == nil
}

// admit takes one submission and starts its work. False if the host is full; then nothing has changed.
func (i *instance) admit(s *submission, c *ioContext) bool {
	processor := processorOf(s.opcode)
	isFull := i.isFull(s)
	if isFull && (processor == nil || processor.relieves == nil || !processor.relieves(s, c)) {
		return false
	}
	owner := c
	if processor != nil && processor.ofInstance {
		owner = &i.own
	}
	o := i.newOperation(owner, s)
	deadlineMs := s.deadlineMs
	work, err := i.decode(s, o, processor)
	// What fails makes no room.
	if err != nil && isFull {
		return false
	}
	i.admitted++
	i.heldBytes += o.heldBytes
	i.proactor.counters.inFlight.Add(1)
	if err != nil {
		o.fail(err)
		return true
	}
	work(o)
	if !o.settled {
		o.context.inFlight.add(o)
		if deadlineMs != 0 {
			o.setDeadline(deadlineMs)
		}
	}
	return true
}

func (i *instance) isFull(s *submission) bool {
	limits := &i.proactor.limits
	if i.admitted >= limits.InFlight {
		return true
	}
	// What could never be held fails instead of being refused for ever.
	bytes, most := s.argumentBytes(), uint64(limits.ArgumentBytes)
	return bytes <= most && i.heldBytes+bytes > most
}

// decode reads and checks the arguments. If it fails it has changed nothing.
func (i *instance) decode(s *submission, o *operation, processor *processor) (work, error) {
	allowed := uint32(flagDetached)
	if processor != nil {
		allowed |= processor.flags
	}
	if err := s.check(allowed); err != nil {
		return nil, err
	}
	switch {
	case s.argumentBytes() > uint64(i.proactor.limits.ArgumentBytes):
		return nil, failed(StatusTooBig, "the arguments are over the limit")
	case o.context.inFlight.find(s.slot) != nil:
		return nil, failed(StatusInvalid, "the slot is in flight already")
	case i.current == &i.own && s.opcode != opcodeAccept:
		return nil, failed(StatusNotPermitted, "only accept can be submitted while the module starts")
	// What ends something is still welcome, and what tells of a failure.
	case i.proactor.mode() != running && processor.relieves == nil && !processor.tells:
		return nil, failed(StatusShutDown, "%s", shutDown.Detail)
	}
	return processor.decode(s, o.context)
}

// poll

func (i *instance) poll(at, capacity, arena, arenaBytes uint32) Status {
	c := i.current
	if c == nil {
		return StatusInvalid
	}
	due := i.own.pending.length
	if c != &i.own {
		due += c.pending.length
	}
	count := int(min(int64(capacity), int64(due), int64(i.left)))
	if _, ok := i.memory.records(at, uint32(count), completionBytes); !ok || !i.memory.contains(arena, arenaBytes) {
		return StatusFault
	}
	// The last batch still tells whose handler ran last.
	if count == 0 {
		return 0
	}
	q := &i.queue
	for _, told := range q.batch {
		i.recycle(told)
	}
	q.begin(at, arena, arenaBytes)
	for len(q.batch) < count {
		pending := &i.own.pending
		if pending.length == 0 {
			pending = &c.pending
		}
		next := pending.first
		if q.hasRoomFor(next) {
			pending.shift()
			q.push(next)
			i.delivered(next)
		} else if len(q.batch) > 0 {
			break // The next poll begins with an empty arena.
		} else if !next.demanded {
			next.demanded = true
			i.left--
			return q.demand(len(next.payload))
		} else {
			i.tooBig(next, c) // The guest was told, and polls without room for it all the same.
		}
	}
	return Status(len(q.batch))
}

// spareMax bounds the operations that an instance keeps for the next submissions.
const spareMax = 256

// recycle keeps an operation of which nobody knows any more: it has been polled and dispatched, it belongs to a request,
// and no goroutine and no deadline was ever told of it.
func (i *instance) recycle(told *completion) {
	o := told.operation
	if o == nil || o.context.request == nil || o.ctx != nil || o.deadline != nil || len(i.spare) == spareMax {
		return
	}
	*o = operation{}
	i.spare = append(i.spare, o)
}

// newOperation takes one of those, or makes one.
func (i *instance) newOperation(c *ioContext, s *submission) *operation {
	var o *operation
	if last := len(i.spare) - 1; last >= 0 {
		o, i.spare = i.spare[last], i.spare[:last]
	} else {
		o = new(operation)
	}
	o.begin(c, s)
	return o
}

func (i *instance) tooBig(next *completion, c *ioContext) {
	hadFailed := next.status < 0
	c.closeResource(next.resource)
	next.status = StatusTooBig
	next.resource, next.auxiliary = 0, 0
	next.payload = nil
	// One that had failed was reported then.
	if next.operation != nil && !hadFailed {
		next.operation.reportUnhandled("the payload does not fit into the guest's arena")
	}
}

func (i *instance) delivered(c *completion) {
	i.left--
	counters := &i.proactor.counters
	switch {
	case c.flags&flagMore != 0:
		return
	case c.flags&flagReclaim != 0:
		counters.reclaimed.Add(1)
	default:
		counters.completed.Add(1)
	}
	i.admitted--
	counters.inFlight.Add(-1)
}

// open and abort

func (i *instance) open(at, length uint32) Status {
	c := i.current
	if c == nil {
		return StatusInvalid
	}
	if length > resourceNameBytesMax {
		return StatusTooBig
	}
	view, ok := i.memory.view(at, length)
	if !ok {
		return StatusFault
	}
	number, err := i.openGrant(view, c)
	if err != nil {
		return statusOf(err)
	}
	return Status(number)
}

// openGrant: the grant belongs to whoever opens it: a request, or the instance while the module starts.
func (i *instance) openGrant(view []byte, c *ioContext) (uint32, error) {
	name, err := text(view)
	if err != nil {
		return 0, err
	}
	grant, ok := i.proactor.grants[name]
	if !ok {
		message := fmt.Sprintf("the module asked for %q; granted are: %s", name, i.proactor.granted())
		i.report(Report{Kind: KindOpen, Message: message})
		return 0, failed(StatusNotFound, "%s", message)
	}
	if err := c.checkResources(); err != nil {
		return 0, err
	}
	return c.addResource(grant), nil
}

func (i *instance) abort(message, messageBytes, file, fileBytes, line, column uint32) {
	panic(&guestAbort{i.abortText(message, messageBytes), Place{i.abortText(file, fileBytes), line, column}})
}

// abortText is what the guest points at, whatever it is: a trap is reported though its report is wrong.
func (i *instance) abortText(at, length uint32) string {
	if i.memory.Memory == nil {
		return ""
	}
	view, _ := i.memory.view(at, min(length, abortTextBytesMax))
	return toValidUTF8(string(view))
}

func toValidUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// messageOf is the engine's word for a trap, without its stack.
func messageOf(err error) string {
	var exit *sys.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == sys.ExitCodeDeadlineExceeded {
		return "the module ran for too long"
	}
	message, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSuffix(strings.TrimPrefix(message, "wasm error: "), " (recovered by wazero)")
}
