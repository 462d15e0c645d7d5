package proactor

import "slices"

// resourceTable finds the resources of one context by number. Numbers only grow, so that the table stays sorted; most
// requests have one resource, their exchange, and need no memory for it.
type resourceTable struct {
	entries []resourceEntry
	room    [2]resourceEntry
	// Entries that are not empty.
	held int
}

type resourceEntry struct {
	number   uint32
	resource resource
}

func (t *resourceTable) add(number uint32, r resource) {
	if t.entries == nil {
		t.entries = t.room[:0]
	}
	t.entries = append(t.entries, resourceEntry{number, r})
	t.held++
}

// get gives nil for what is not there.
func (t *resourceTable) get(number uint32) resource {
	if place, ok := t.find(number); ok {
		return t.entries[place].resource
	}
	return nil
}

// remove leaves an empty place, and tidies up when most are empty.
func (t *resourceTable) remove(number uint32) {
	place, ok := t.find(number)
	if !ok || t.entries[place].resource == nil {
		return
	}
	t.entries[place].resource = nil
	t.held--
	if t.held < len(t.entries)/2 {
		t.entries = slices.DeleteFunc(t.entries, func(e resourceEntry) bool { return e.resource == nil })
	}
}

func (t *resourceTable) find(number uint32) (int, bool) {
	return slices.BinarySearchFunc(t.entries, number, func(e resourceEntry, number uint32) int {
		return int(int64(e.number) - int64(number))
	})
}
