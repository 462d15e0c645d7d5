package proactor

// ioContext is what belongs together because it is of one incoming request: its operations, its resources, its timers
// and its queue of completions. The instance has one too, for what belongs to no request: its accept, and slots to be
// reclaimed. The owner of the instance alone touches it.
type ioContext struct {
	instance *instance
	// The request; nil in the instance's own.
	request *requestContext
	// Admitted operations that have not completed.
	inFlight inFlight
	// Completions that wait for a turn. Their places were reserved at admission: an operation counts until polled.
	pending   fifo
	resources resourceTable

	// Made on demand: many a request needs neither.
	deadlines   *deadlines
	connections *connections
}

// inFlight finds operations by slot, and keeps them in the order of their admission. Few are found fastest by looking at
// each.
type inFlight struct {
	first, last *operation
	count       int
	// All of them, once there are many.
	bySlot map[uint32]*operation
}

const fewInFlight = 8

func (f *inFlight) find(slot uint32) *operation {
	if f.bySlot != nil {
		return f.bySlot[slot]
	}
	for o := f.first; o != nil; o = o.behind {
		if o.slot == slot {
			return o
		}
	}
	return nil
}

func (f *inFlight) add(o *operation) {
	o.before = f.last
	if f.last == nil {
		f.first = o
	} else {
		f.last.behind = o
	}
	f.last = o
	f.count++
	if f.bySlot != nil {
		f.bySlot[o.slot] = o
	} else if f.count > fewInFlight {
		f.bySlot = make(map[uint32]*operation)
		f.each(func(o *operation) { f.bySlot[o.slot] = o })
	}
}

func (f *inFlight) remove(o *operation) {
	if f.find(o.slot) != o {
		return
	}
	if f.bySlot != nil {
		delete(f.bySlot, o.slot)
	}
	if o.before == nil {
		f.first = o.behind
	} else {
		o.before.behind = o.behind
	}
	if o.behind == nil {
		f.last = o.before
	} else {
		o.behind.before = o.before
	}
	f.count--
}

// each may settle the operation that it is called for.
func (f *inFlight) each(do func(*operation)) {
	for o := f.first; o != nil; {
		behind := o.behind
		do(o)
		o = behind
	}
}

func (c *ioContext) allDeadlines() *deadlines {
	if c.deadlines == nil {
		c.deadlines = &deadlines{platform: c.instance.proactor.platform}
		if c.request != nil {
			c.deadlines.fire = c.request.onTimer
		}
	}
	return c.deadlines
}

func (c *ioContext) allConnections() *connections {
	if c.connections == nil {
		c.connections = &connections{free: c.instance.proactor.limits.Connections}
	}
	return c.connections
}

// title is the event as reports name it.
func (c *ioContext) title() string {
	if c.request == nil {
		return "the start of the module"
	}
	return c.request.line()
}

// Operations.

// find finds the operation in flight that has this token.
func (c *ioContext) find(slot, generation uint32) *operation {
	if o := c.inFlight.find(slot); o != nil && o.generation == generation {
		return o
	}
	return nil
}

// settled takes an operation's final completion.
func (c *ioContext) settled(o *operation) {
	c.inFlight.remove(o)
	c.instance.heldBytes -= o.heldBytes
	c.pending.push(&o.completion)
	if c.request != nil && c.instance.current != c {
		c.instance.wake(c.request)
	}
}

// Resources.

func (c *ioContext) addResource(r resource) uint32 {
	number := c.instance.takeResourceNumber()
	c.resources.add(number, r)
	return number
}

// resource finds a resource of this context or of its instance. Another context's is not found.
func (c *ioContext) resource(number uint32) resource {
	if r := c.resources.get(number); r != nil {
		return r
	}
	return c.instance.own.resources.get(number)
}

// resourceOf is the same, if it is of this kind.
func resourceOf[R resource](c *ioContext, number uint32, kind string) (R, error) {
	if r, ok := c.resource(number).(R); ok {
		return r, nil
	}
	var none R
	if number == 0 {
		return none, failed(StatusBadResource, "what was not granted is no %s of this context", kind)
	}
	return none, failed(StatusBadResource, "resource %d is no %s of this context", number, kind)
}

// sourceOf is the resource whose body is to be sent instead of the submission's own bytes; nil if the number is 0.
func (c *ioContext) sourceOf(s *submission, number uint32) (source, error) {
	if number == 0 {
		return nil, nil
	}
	from, err := resourceOf[source](c, number, "exchange or body")
	if err == nil && s.dataBytes > 0 {
		err = failed(StatusInvalid, "give bytes or a resource, not both")
	}
	return from, err
}

// bodyBytesMax is how many bytes of a body the guest gets at most: as many as it asks for, 0 for all, within the limit.
func (c *ioContext) bodyBytesMax(asked uint32) int {
	most := c.instance.proactor.limits.BodyBytes
	if asked == 0 {
		return most
	}
	return min(int(asked), most)
}

// closeResource gives a resource of this context back, if there is one, and cancels what is in flight on it.
func (c *ioContext) closeResource(number uint32) {
	r := c.resources.get(number)
	if r == nil {
		return
	}
	c.inFlight.each(func(o *operation) {
		if o.target == number {
			o.end(StatusCancelled, "its resource was closed")
		}
	})
	c.resources.remove(number)
	c.instance.resources--
	if b, ok := r.(*body); ok {
		c.instance.letGo(b)
	}
}

// checkResources fails with Again if the guest holds as many resources as it may.
func (c *ioContext) checkResources() error {
	if c.instance.resources < c.instance.proactor.limits.Resources {
		return nil
	}
	return failed(StatusAgain, "too many resources are held: close some")
}

// abandon ends what is in flight without completions, and counts nothing as held.
func (c *ioContext) abandon() {
	c.inFlight.each(func(o *operation) {
		o.settled = true
		c.instance.heldBytes -= o.heldBytes
	})
	c.instance.resources -= c.resources.held
}

// letGo aborts and closes what is left.
func (c *ioContext) letGo() {
	if c.deadlines != nil {
		c.deadlines.clear()
	}
	c.inFlight.each((*operation).abort)
	c.inFlight = inFlight{}
	for _, entry := range c.resources.entries {
		if b, ok := entry.resource.(*body); ok {
			c.instance.letGo(b)
		}
	}
	c.resources = resourceTable{}
}
