package proactor

import (
	"crypto/rand"
	"sync/atomic"
	"time"
)

// Platform is what a host needs around it: time, randomness and goroutines. It is a seam for simulations, which decide
// what happens when; everybody else leaves Options.Platform nil and has the process's own.
//
// The host never blocks but in the work that it gives to Go, in Wait, and while it sends a response.
type Platform interface {
	// Now is the time.
	Now() time.Time
	// AfterFunc calls f once, after d, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func())
	// Random fills bytes. An error means that there are none now.
	Random(bytes []byte) error
	// Go runs work, which may block, beside the caller, and then settle, which does not block.
	Go(work, settle func())
	// Turn runs a turn of a guest. It is called where nothing else is to be done, and may return before or after.
	Turn(turn func())
	// Wait returns when one of the two is closed; the second may be nil.
	Wait(a, b <-chan struct{})
}

// systemPlatform is the process. Its goroutines are used again and again: one that has run a guest has the stack that this
// takes, and a new one would have to grow it each time.
type systemPlatform struct {
	tasks chan systemTask
	ended chan struct{}
	idle  atomic.Int32
}

type systemTask struct{ work, settle func() }

// idleMax bounds the goroutines that wait for work.
const idleMax = 128

func newSystemPlatform() *systemPlatform {
	return &systemPlatform{tasks: make(chan systemTask), ended: make(chan struct{})}
}

func (*systemPlatform) Now() time.Time { return time.Now() }

func (*systemPlatform) AfterFunc(d time.Duration, f func()) func() {
	timer := time.AfterFunc(d, f)
	return func() { timer.Stop() }
}

func (*systemPlatform) Random(bytes []byte) error {
	_, err := rand.Read(bytes)
	return err
}

func (p *systemPlatform) Go(work, settle func()) {
	task := systemTask{work, settle}
	select {
	case p.tasks <- task: // One that is idle takes it.
	default:
		go p.run(task)
	}
}

func (p *systemPlatform) run(task systemTask) {
	for {
		task.work()
		task.settle()
		if p.idle.Add(1) > idleMax {
			p.idle.Add(-1)
			return
		}
		select {
		case task = <-p.tasks:
			p.idle.Add(-1)
		case <-p.ended:
			return
		}
	}
}

func (*systemPlatform) Turn(turn func()) { turn() }

func (*systemPlatform) Wait(a, b <-chan struct{}) {
	select {
	case <-a:
	case <-b:
	}
}

// end lets go of the goroutines that are idle, now or later.
func (p *systemPlatform) end() { close(p.ended) }
