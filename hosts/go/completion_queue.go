package proactor

import "encoding/binary"

// completionQueue writes what poll asks for, and remembers it until the next poll.
//
// The queue itself is the array in the guest's memory. Here is kept what its records stand for, so that after a trap the
// one whose handler was running has a name.
type completionQueue struct {
	memory   memory
	batch    []*completion
	at       uint32
	arenaAt  uint64
	arenaEnd uint64
}

// begin begins a batch at a place, with payloads in an arena; both lie inside the memory.
func (q *completionQueue) begin(at, arena, arenaBytes uint32) {
	clear(q.batch)
	q.batch = q.batch[:0]
	q.at = at
	q.arenaAt = uint64(arena)
	q.arenaEnd = q.arenaAt + uint64(arenaBytes)
}

// last is what the last poll has written last.
func (q *completionQueue) last() *completion {
	if len(q.batch) == 0 {
		return nil
	}
	return q.batch[len(q.batch)-1]
}

func (q *completionQueue) payloadAt() uint64 {
	return (q.arenaAt + payloadAlignment - 1) &^ (payloadAlignment - 1)
}

// hasRoomFor tells whether the completion's payload fits into what is left of the arena.
func (q *completionQueue) hasRoomFor(c *completion) bool {
	return len(c.payload) == 0 || q.payloadAt()+uint64(len(c.payload)) <= q.arenaEnd
}

// push writes one completion, for which there is room.
func (q *completionQueue) push(c *completion) {
	var payloadAt uint64
	if len(c.payload) > 0 {
		payloadAt = q.payloadAt()
		view, _ := q.memory.view(uint32(payloadAt), uint32(len(c.payload)))
		copy(view, c.payload)
		q.arenaAt = payloadAt + uint64(len(c.payload))
	}
	record := q.record(len(q.batch))
	binary.LittleEndian.PutUint32(record[completionTokenSlot:], c.slot)
	binary.LittleEndian.PutUint32(record[completionTokenGeneration:], c.generation)
	binary.LittleEndian.PutUint32(record[completionStatus:], uint32(c.status))
	binary.LittleEndian.PutUint32(record[completionFlags:], c.flags)
	binary.LittleEndian.PutUint32(record[completionResource:], c.resource)
	binary.LittleEndian.PutUint32(record[completionPayload:], uint32(payloadAt))
	binary.LittleEndian.PutUint32(record[completionPayloadBytes:], uint32(len(c.payload)))
	binary.LittleEndian.PutUint32(record[completionAuxiliary:], c.auxiliary)
	q.batch = append(q.batch, c)
}

// demand tells in the first record how large an arena would hold this payload, wherever the arena begins.
func (q *completionQueue) demand(payloadBytes int) Status {
	binary.LittleEndian.PutUint32(q.record(0)[completionPayloadBytes:], uint32(payloadBytes)+payloadAlignment)
	return StatusTooBig
}

// running is the completion whose handler was called last. The guest marks a record before it calls the handler.
func (q *completionQueue) running() *completion {
	if len(q.batch) == 0 {
		return nil
	}
	// Once all are dispatched, the guest uses the first record to tell handlers that their submission was refused. The
	// slot may be the same, for a handler's slot is free when it submits anew.
	record, first := q.record(0), q.batch[0]
	if binary.LittleEndian.Uint32(record[completionTokenSlot:]) != first.slot ||
		binary.LittleEndian.Uint32(record[completionTokenGeneration:]) != first.generation {
		return nil
	}
	for index := len(q.batch) - 1; index >= 0; index-- {
		if binary.LittleEndian.Uint32(q.record(index)[completionFlags:])&flagDispatched != 0 {
			return q.batch[index]
		}
	}
	return nil
}

func (q *completionQueue) record(index int) []byte {
	view, _ := q.memory.view(q.at+uint32(index)*completionBytes, completionBytes)
	return view
}
