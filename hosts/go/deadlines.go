package proactor

import (
	"container/heap"
	"time"
)

// deadlines is everything of one context that is due at a time, with one real timer armed for the earliest.
//
// A binary heap in which each entry knows its place, because most deadlines are taken back before they are due. Ties go
// by order of submission.
type deadlines struct {
	platform Platform
	entries  deadlineHeap
	order    uint64
	// fire is called, on a goroutine of its own, when the earliest is due.
	fire     func()
	stop     func()
	armedFor time.Time
}

type deadline struct {
	due    time.Time
	order  uint64
	place  int
	expire func()
}

// add calls expire no earlier than after since the given moment, unless it is removed before.
func (d *deadlines) add(after time.Duration, expire func(), since time.Time) *deadline {
	entry := &deadline{due: since.Add(after), order: d.order, expire: expire}
	d.order++
	heap.Push(&d.entries, entry)
	d.arm()
	return entry
}

func (d *deadlines) remove(entry *deadline) {
	if entry.place < 0 {
		return
	}
	heap.Remove(&d.entries, entry.place)
	// A timer that fires for nothing is cheaper than arming another one now. But none may outlive its context.
	if len(d.entries) == 0 {
		d.disarm()
	}
}

// clear takes back everything.
func (d *deadlines) clear() {
	d.entries = nil
	d.disarm()
}

func (d *deadlines) arm() {
	earliest := d.entries[0].due
	if d.stop != nil && !earliest.Before(d.armedFor) {
		return
	}
	d.disarm()
	d.armedFor = earliest
	d.stop = d.platform.AfterFunc(max(0, earliest.Sub(d.platform.Now())), d.fire)
}

func (d *deadlines) disarm() {
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
}

// expireDue expires what is due, and tells whether anything was. The owner of the instance calls it.
func (d *deadlines) expireDue() bool {
	now := d.platform.Now()
	// One that was taken back while it fired leaves the timer to whoever is armed now.
	if d.stop != nil && d.armedFor.After(now) {
		return false
	}
	d.disarm()
	// What is added meanwhile waits for the next timer, even if it is due now: it means to let others go first.
	end, expired := d.order, false
	for len(d.entries) > 0 && !d.entries[0].due.After(now) && d.entries[0].order < end {
		entry := heap.Pop(&d.entries).(*deadline)
		expired = true
		entry.expire()
	}
	if len(d.entries) > 0 {
		d.arm()
	}
	return expired
}

type deadlineHeap []*deadline

func (h deadlineHeap) Len() int { return len(h) }

func (h deadlineHeap) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].order < h[j].order
	}
	return h[i].due.Before(h[j].due)
}

func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *deadlineHeap) Push(entry any) {
	entry.(*deadline).place = len(*h)
	*h = append(*h, entry.(*deadline))
}

func (h *deadlineHeap) Pop() any {
	last := len(*h) - 1
	entry := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	entry.place = -1
	return entry
}
