package proactor

// fifo queues completions. What waits links to what waits behind it, so that queueing allocates nothing and cannot fail.
type fifo struct {
	first, last *completion
	length      int
}

func (f *fifo) push(c *completion) {
	c.next = nil
	if f.last == nil {
		f.first = c
	} else {
		f.last.next = c
	}
	f.last = c
	f.length++
}

func (f *fifo) shift() *completion {
	c := f.first
	f.first = c.next
	if f.first == nil {
		f.last = nil
	}
	c.next = nil
	f.length--
	return c
}
