package proactor

import (
	"crypto/rand"
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

type systemPlatform struct{}

func (systemPlatform) Now() time.Time { return time.Now() }

func (systemPlatform) AfterFunc(d time.Duration, f func()) func() {
	timer := time.AfterFunc(d, f)
	return func() { timer.Stop() }
}

func (systemPlatform) Random(bytes []byte) error {
	_, err := rand.Read(bytes)
	return err
}

func (systemPlatform) Go(work, settle func()) {
	go func() {
		work()
		settle()
	}()
}

func (systemPlatform) Turn(turn func()) { turn() }

func (systemPlatform) Wait(a, b <-chan struct{}) {
	select {
	case <-a:
	case <-b:
	}
}
