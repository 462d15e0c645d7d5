package proactor

import (
	"fmt"
	"io"
	"os"
	"slices"
)

// Isolation decides how far a trap reaches.
type Isolation string

const (
	// Request: a new instance for each request.
	Request Isolation = "request"
	// Pooled: one request at a time in each instance, which is reused after a clean end. The default.
	Pooled Isolation = "pooled"
	// Shared: many requests at once in one instance. An abort of the guest costs one of them, anything worse costs them
	// all, and a new instance takes over.
	Shared Isolation = "shared"
)

// Options are what the owner of a proactor decides. The zero value grants nothing and has all defaults.
type Options struct {
	// What the guest may open, by name: KV and Origin make grants.
	Resources map[string]Grant
	// How far a trap reaches; Pooled if "".
	Isolation Isolation
	Limits    Limits
	// OnError is told of what no handler of the guest has dealt with, on any goroutine. By default each report becomes a
	// line of the standard logger.
	OnError func(Report)
	// Where the guest's console goes, a line in each call of Write; os.Stdout and os.Stderr if nil.
	Stdout, Stderr io.Writer
	// Platform is what a simulation puts in the place of clock, randomness and goroutines.
	Platform Platform
}

// completed fills in the defaults.
func (o Options) completed() (Options, error) {
	if o.Isolation == "" {
		o.Isolation = Pooled
	}
	if !slices.Contains([]Isolation{Request, Pooled, Shared}, o.Isolation) {
		return o, fmt.Errorf("Options.Isolation: %q is none of request, pooled, shared", o.Isolation)
	}
	for name, grant := range o.Resources {
		if grant == nil {
			return o, fmt.Errorf("Options.Resources[%q] is nil; KV and Origin make grants", name)
		}
		if err := grant.check(); err != nil {
			return o, fmt.Errorf("Options.Resources[%q]: %w", name, err)
		}
	}
	if o.OnError == nil {
		o.OnError = logReport
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	var err error
	o.Limits, err = o.Limits.completed()
	return o, err
}
