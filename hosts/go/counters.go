package proactor

import "sync/atomic"

// Counters tell how a proactor is doing: how many of each there have been since the start, or are now.
type Counters struct {
	// Requests that have not ended, now.
	Contexts int64 `json:"contexts"`
	// Operations admitted and not yet delivered, now; an instance's accept is one.
	InFlight int64 `json:"inFlight"`
	// Final completions delivered.
	Completed int64 `json:"completed"`
	// Submissions refused because a limit was reached.
	Refused int64 `json:"refused"`
	// Results that came after their operation had ended; disposed of.
	Late int64 `json:"late"`
	// Completions of ended contexts, by which the guest's slots were freed.
	Reclaimed int64 `json:"reclaimed"`
	// Turns that ended in a trap.
	Traps int64 `json:"traps"`
	// Requests whose client went away before the answer.
	Killed int64 `json:"killed"`
	// Instances that exist, now.
	Instances int64 `json:"instances"`
	// Instances made since the start.
	Instantiated int64 `json:"instantiated"`
}

// counters are Counters that many goroutines count.
type counters struct {
	contexts, inFlight, completed, refused, late      atomic.Int64
	reclaimed, traps, killed, instances, instantiated atomic.Int64
}

func (c *counters) snapshot() Counters {
	return Counters{
		Contexts:     c.contexts.Load(),
		InFlight:     c.inFlight.Load(),
		Completed:    c.completed.Load(),
		Refused:      c.refused.Load(),
		Late:         c.late.Load(),
		Reclaimed:    c.reclaimed.Load(),
		Traps:        c.traps.Load(),
		Killed:       c.killed.Load(),
		Instances:    c.instances.Load(),
		Instantiated: c.instantiated.Load(),
	}
}
