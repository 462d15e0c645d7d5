// Package proactor serves WebAssembly modules of the contract proactor_v1: guests that start operations and go on, and
// get completions from a queue in their own memory.
//
//	app, err := proactor.New(ctx, wasm, proactor.Options{
//		Resources: map[string]proactor.Grant{
//			"CACHE": proactor.KV(proactor.MemoryStore()),
//			"API":   proactor.Origin("https://api.example.com"),
//		},
//	})
//	…
//	http.ListenAndServe(":8787", app)
//
// A Proactor is an http.Handler. The guest runs on the goroutine of a request, of a timer, or of an operation that has
// just been performed: whichever it is owns the instance for the time of one turn.
package proactor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Proactor is instances of one module, and decides which of them serves which request. Its methods may be called by any
// goroutine.
type Proactor struct {
	engine    *module
	isolation Isolation
	limits    Limits
	grants    map[string]Grant
	onError   func(Report)
	stdout    *lineWriter
	stderr    *lineWriter
	platform  Platform
	system    *systemPlatform
	started   time.Time
	counters  counters
	state     atomic.Int32

	mutex sync.Mutex
	// Instances that a request may have: clean, and for itself unless isolation is Shared.
	idle []*instance
	// What they weigh: memory never shrinks.
	idleBytes int
	// Requests that have not ended, in the order in which they came.
	first, last *requestContext
	// Closed when the last request has ended, if a shutdown waits for that.
	emptied chan struct{}
	// Held while a shared instance is replaced, so that one of two requests does it.
	replacing sync.Mutex
	ending    sync.Once
}

const (
	running int32 = iota
	shutdownGraceful
	shutdownNow
)

// New compiles a module and makes sure that it starts.
func New(ctx context.Context, wasm []byte, options Options) (*Proactor, error) {
	options, err := options.completed()
	if err != nil {
		return nil, fmt.Errorf("proactor: %w", err)
	}
	engine, err := compile(ctx, wasm, options.Limits)
	if err != nil {
		return nil, fmt.Errorf("proactor: %w", err)
	}
	system := newSystemPlatform()
	if options.Platform == nil {
		options.Platform = system
	}
	p := &Proactor{
		system:    system,
		engine:    engine,
		isolation: options.Isolation,
		limits:    options.Limits,
		grants:    maps.Clone(options.Resources),
		onError:   options.OnError,
		stdout:    &lineWriter{writer: options.Stdout},
		stderr:    &lineWriter{writer: options.Stderr},
		platform:  options.Platform,
		started:   options.Platform.Now(),
	}
	i, err := newInstance(p)
	if err != nil {
		engine.runtime.Close(ctx)
		return nil, fmt.Errorf("proactor: %w", startError(err))
	}
	i.idleBytes = i.memoryBytes()
	p.keepIdle(i)
	return p, nil
}

// Counters tell how the proactor is doing.
func (p *Proactor) Counters() Counters { return p.counters.snapshot() }

func (p *Proactor) mode() int32 { return p.state.Load() }

// tell tells the owner. What goes wrong there must not keep a request from its answer.
func (p *Proactor) tell(report Report) {
	defer func() {
		if cause := recover(); cause != nil {
			logReport(Report{Kind: KindUnexpected, Message: fmt.Sprintf("OnError panicked: %v", cause)})
		}
	}()
	p.onError(report)
}

func (p *Proactor) granted() string {
	if len(p.grants) == 0 {
		return "nothing"
	}
	return strings.Join(slices.Sorted(maps.Keys(p.grants)), ", ")
}

// Instances.

// checkOut gives a request its instance.
func (p *Proactor) checkOut() (*instance, error) {
	if p.isolation == Shared {
		return p.checkOutShared()
	}
	p.mutex.Lock()
	i := p.takeIdle()
	if i != nil {
		i.users++
	}
	p.mutex.Unlock()
	if i != nil {
		return i, nil
	}
	return p.instantiate()
}

func (p *Proactor) checkOutShared() (*instance, error) {
	p.replacing.Lock()
	defer p.replacing.Unlock()
	p.mutex.Lock()
	var old *instance
	if len(p.idle) > 0 {
		i := p.idle[0]
		if !i.wornOut.Load() {
			i.users++
			p.mutex.Unlock()
			return i, nil
		}
		p.idle = p.idle[:0]
		if i.users == 0 {
			old = i
		}
	}
	p.mutex.Unlock()
	if old != nil {
		old.retireNow()
	}
	i, err := p.instantiate()
	if err == nil {
		p.mutex.Lock()
		p.idle = append(p.idle[:0], i)
		p.mutex.Unlock()
	}
	return i, err
}

func (p *Proactor) instantiate() (*instance, error) {
	i, err := newInstance(p)
	if err != nil {
		return nil, startError(err)
	}
	i.users = 1
	return i, nil
}

// enter takes note of a request, unless the proactor is shutting down. The caller owns the instance.
func (p *Proactor) enter(c *requestContext) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.mode() != running {
		return false
	}
	p.counters.contexts.Add(1)
	c.before = p.last
	if p.last == nil {
		p.first = c
	} else {
		p.last.behind = c
	}
	p.last = c
	return true
}

// giveBack takes an instance back from a request that was not begun. The caller owns the instance.
func (p *Proactor) giveBack(i *instance) {
	p.mutex.Lock()
	i.users--
	isUnused := i.users == 0
	p.mutex.Unlock()
	if isUnused {
		i.retire()
	}
}

// release takes note of the end of a request. The caller owns its instance.
func (p *Proactor) release(c *requestContext) {
	isKept := p.putBack(c.instance)
	if p.isolation == Shared {
		p.leave(c)
	}
	if !isKept {
		c.instance.retire()
	}
	// Last: whoever shuts down waits for this.
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.counters.contexts.Add(-1)
	p.unlink(c)
	p.tellEmptied()
}

// putBack keeps the instance of a request that has ended for others, if it is fit for that.
func (p *Proactor) putBack(i *instance) (isKept bool) {
	isReusable := p.isReusable(i)
	i.weigh()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	i.users--
	if p.isolation == Shared {
		return i.users > 0 || slices.Contains(p.idle, i)
	}
	if !isReusable || p.mode() != running || p.idleBytes+i.memoryBytes() > p.limits.IdleBytes {
		return false
	}
	i.idleBytes = i.memoryBytes()
	p.keepIdle(i)
	return true
}

// tellEmptied tells a shutdown that the last request has ended, with all that it had. The caller holds the mutex.
func (p *Proactor) tellEmptied() {
	if p.first == nil && p.emptied != nil {
		close(p.emptied)
		p.emptied = nil
	}
}

func (p *Proactor) unlink(c *requestContext) {
	if c.before == nil {
		p.first = c.behind
	} else {
		c.before.behind = c.behind
	}
	if c.behind == nil {
		p.last = c.before
	} else {
		c.behind.before = c.before
	}
}

// leave: nobody else might have a turn for a long time, and they wait for what this one held.
func (p *Proactor) leave(c *requestContext) {
	i := c.instance
	if i.retired {
		return
	}
	i.reclaim(&c.ioContext)
	if !i.owesTurn() {
		return
	}
	for _, other := range p.contextsOf(i) {
		if other.waits() {
			i.wake(other)
		}
	}
}

// contextsOf are the requests that an instance serves, in the order in which they came.
func (p *Proactor) contextsOf(i *instance) (contexts []*requestContext) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for c := p.first; c != nil; c = c.behind {
		if i == nil || c.instance == i {
			contexts = append(contexts, c)
		}
	}
	return contexts
}

// find finds the operation in flight in any request of this instance that has this token. The caller owns the instance.
func (p *Proactor) find(i *instance, slot, generation uint32) *operation {
	if p.isolation != Shared {
		return nil
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for c := p.first; c != nil; c = c.behind {
		if c.instance != i {
			continue
		}
		if o := c.find(slot, generation); o != nil {
			return o
		}
	}
	return nil
}

func (p *Proactor) isReusable(i *instance) bool {
	// The accept alone may be in flight; anything else belonged to a request that did not end well.
	if p.isolation != Pooled || i.retired || i.admitted > 1 || i.current != nil {
		return false
	}
	i.weigh()
	return !i.wornOut.Load()
}

func (p *Proactor) keepIdle(i *instance) {
	p.idle = append(p.idle, i)
	p.idleBytes += i.idleBytes
}

func (p *Proactor) takeIdle() *instance {
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	i := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	p.idleBytes -= i.idleBytes
	return i
}

// retireNow retires an instance that serves nobody, and that nobody owns.
func (i *instance) retireNow() {
	i.mutex.Lock()
	defer i.unlock()
	i.retire()
}

// Traps.

// trapped: a turn of this context ended in a trap. The caller owns the instance.
func (p *Proactor) trapped(c *requestContext, cause error) {
	i := c.instance
	p.counters.traps.Add(1)
	i.traps++
	i.report(trapReport(c, cause))
	isShared := p.isolation == Shared
	// The guest itself said so, and can go on with other requests.
	var abort *guestAbort
	isContained := isShared && errors.As(cause, &abort) && i.traps < p.limits.Traps
	if !isContained {
		i.retire()
	}
	c.fail(trapped)
	if isShared && !isContained {
		p.condemn(i)
	}
}

// condemn fails all requests of a shared instance. The next request gets a new one.
func (p *Proactor) condemn(i *instance) {
	i.retire()
	i.weigh()
	p.mutex.Lock()
	p.idle = slices.DeleteFunc(p.idle, func(idle *instance) bool { return idle == i })
	p.mutex.Unlock()
	for _, c := range p.contextsOf(i) {
		c.fail(condemned)
	}
}

// Shutdown.

// Shutdown ends the proactor gracefully: requests that come from now on are answered with 503, operations that are
// submitted from now on complete as ShutDown, and what is in flight completes as it would have. It returns when no request
// and no instance is left, or with the context's error when that ends first; Close then cuts it short.
func (p *Proactor) Shutdown(ctx context.Context) error {
	return p.shutdown(ctx, shutdownGraceful)
}

// Close ends the proactor now: what is in flight ends as ShutDown, and its request after its handlers have heard so.
func (p *Proactor) Close() error {
	return p.shutdown(context.Background(), shutdownNow)
}

func (p *Proactor) shutdown(ctx context.Context, mode int32) error {
	idle, emptied := p.refuseRequests(mode)
	for _, i := range idle {
		i.retireNow()
	}
	p.mutex.Lock()
	p.tellEmptied()
	p.mutex.Unlock()
	contexts := p.contextsOf(nil)
	for _, c := range contexts {
		c.endAccept()
	}
	for _, c := range contexts {
		c.schedule()
	}
	p.platform.Wait(emptied, ctx.Done())
	select {
	case <-emptied:
		p.ending.Do(p.system.end)
		return p.engine.runtime.Close(context.Background())
	default:
		return ctx.Err()
	}
}

// refuseRequests changes the mode, and takes the instances that serve nobody.
func (p *Proactor) refuseRequests(mode int32) (idle []*instance, emptied chan struct{}) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.state.Store(max(mode, p.mode()))
	// A shared one in use goes with its last request.
	idle = slices.DeleteFunc(p.idle, func(i *instance) bool { return i.users > 0 })
	p.idle, p.idleBytes = nil, 0
	if p.emptied == nil {
		p.emptied = make(chan struct{})
	}
	return idle, p.emptied
}

func (c *requestContext) endAccept() {
	c.instance.mutex.Lock()
	defer c.instance.unlock()
	if accept := c.instance.accept(); accept != nil {
		accept.end(StatusShutDown, shutDown.Detail)
	}
}
