package proactor

import "slices"

// connections lets at most so many calls of one context wait for their answer at once; more wait here, in order.
//
// Queueing here keeps the order fair, lets a cancelled operation leave the queue without ever having started, and keeps a
// guest from opening as many sockets as it has slots.
type connections struct {
	free    int
	waiting []*operation
}

// take calls start when there is a connection for the operation: now, or in a later turn.
func (c *connections) take(o *operation, start func()) {
	if c.free > 0 {
		c.free--
		start()
		return
	}
	o.start = start
	c.waiting = append(c.waiting, o)
}

// handOn gives a connection to whoever waits first.
func (c *connections) handOn() {
	if len(c.waiting) == 0 {
		c.free++
		return
	}
	next := c.waiting[0]
	c.waiting = c.waiting[1:]
	start := next.start
	next.start = nil
	start()
}

func (c *connections) leave(o *operation) {
	if place := slices.Index(c.waiting, o); place >= 0 {
		c.waiting = slices.Delete(c.waiting, place, place+1)
	}
}
