package conformance

import (
	"sync"
	"time"
)

// platform is a process in which one thing happens after the other: work begins in the order in which it was asked for,
// turns run when all work has come to rest, and time stands still unless it is told to pass.
type platform struct {
	mutex  sync.Mutex
	rested *sync.Cond
	// Goroutines that have not come to rest: those of requests, and of work that has begun.
	moving  int
	waiting map[*wait]bool
	// What is asked for and has not begun, in order.
	asked   []task
	settled []func()
	turns   []func()

	now    time.Duration
	timers []*timer
	random byte
}

type task struct{ work, settle func() }

type wait struct{ a, b <-chan struct{} }

type timer struct {
	due  time.Duration
	fire func()
}

func newPlatform() *platform {
	p := &platform{waiting: map[*wait]bool{}}
	p.rested = sync.NewCond(&p.mutex)
	return p
}

// The host's side.

func (p *platform) Now() time.Time {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return time.Unix(0, int64(p.now))
}

func (p *platform) AfterFunc(d time.Duration, f func()) func() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	armed := &timer{p.now + d, f}
	p.timers = append(p.timers, armed)
	return func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.remove(armed)
	}
}

func (p *platform) Random(bytes []byte) error {
	for at := range bytes {
		bytes[at] = p.random
		p.random++
	}
	return nil
}

func (p *platform) Go(work, settle func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.asked = append(p.asked, task{work, settle})
}

func (p *platform) Turn(turn func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.turns = append(p.turns, turn)
}

func (p *platform) Wait(a, b <-chan struct{}) {
	w := &wait{a, b}
	p.mutex.Lock()
	p.waiting[w] = true
	p.rest()
	p.mutex.Unlock()
	select {
	case <-a:
	case <-b:
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.waiting, w)
	p.moving++
}

// The driver's side.

// run has code of the host run on a goroutine that counts as moving until it ends.
func (p *platform) run(code func()) {
	p.mutex.Lock()
	p.moving++
	p.mutex.Unlock()
	go func() {
		code()
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.rest()
	}()
}

// rest: one goroutine moves no more. The caller holds the mutex.
func (p *platform) rest() {
	p.moving--
	p.rested.Broadcast()
}

// settle lets everything happen that needs no time.
func (p *platform) settle() {
	for {
		switch next, kind := p.next(); kind {
		case noMore:
			return
		case aTask:
			p.run(next.work)
		default:
			next.work()
		}
	}
}

const (
	noMore = iota
	aTask
	aTurn
)

// next waits until nothing moves, and says what comes then: work that was asked for, results, turns.
func (p *platform) next() (task, int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for p.moving > 0 || p.isWaking() {
		p.rested.Wait()
	}
	if len(p.asked) > 0 {
		first := p.asked[0]
		p.asked = p.asked[1:]
		return task{work: func() {
			first.work()
			p.mutex.Lock()
			defer p.mutex.Unlock()
			p.settled = append(p.settled, first.settle)
		}}, aTask
	}
	if len(p.settled) > 0 {
		return task{work: shift(&p.settled)}, aTurn
	}
	if len(p.turns) > 0 {
		return task{work: shift(&p.turns)}, aTurn
	}
	return task{}, noMore
}

func shift(queue *[]func()) func() {
	first := (*queue)[0]
	*queue = (*queue)[1:]
	return first
}

// isWaking tells whether a goroutine that waits has been told to go on.
func (p *platform) isWaking() bool {
	for w := range p.waiting {
		select {
		case <-w.a:
			return true
		case <-w.b:
			return true
		default:
		}
	}
	return false
}

// pass lets time pass, and stops at each moment at which a timer is due.
func (p *platform) pass(d time.Duration) {
	until := p.now + d
	for next := p.earliest(until); next != nil; next = p.earliest(until) {
		next.fire()
		p.settle()
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.now = until
}

// earliest takes the timer that is due first, of equals the first armed, and moves time there.
func (p *platform) earliest(until time.Duration) *timer {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var next *timer
	for _, armed := range p.timers {
		if armed.due <= until && (next == nil || armed.due < next.due) {
			next = armed
		}
	}
	if next != nil {
		p.remove(next)
		p.now = max(p.now, next.due)
	}
	return next
}

func (p *platform) remove(gone *timer) {
	for place, armed := range p.timers {
		if armed == gone {
			p.timers = append(p.timers[:place], p.timers[place+1:]...)
			return
		}
	}
}
