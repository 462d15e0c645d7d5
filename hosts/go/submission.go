package proactor

import "encoding/binary"

// submission is one 64-byte record, read and checked inside submit. The same one is moved from record to record, so that
// reading a batch allocates nothing; its ranges are looked at before the guest runs again.
type submission struct {
	memory                          memory
	slot, generation                uint32
	opcode                          opcode
	flags                           uint32
	resource, deadlineMs            uint32
	nameAt, nameBytes               uint32
	dataAt, dataBytes               uint32
	metaAt, metaBytes               uint32
	argument0, argument1, argument2 uint32
	reserved                        uint32
}

// read takes over the fields of a record.
func (s *submission) read(record []byte) {
	_ = record[submissionBytes-1]
	word := func(offset int) uint32 { return binary.LittleEndian.Uint32(record[offset:]) }
	s.slot = word(submissionTokenSlot)
	s.generation = word(submissionTokenGeneration)
	s.opcode = opcode(binary.LittleEndian.Uint16(record[submissionOpcode:]))
	s.flags = uint32(binary.LittleEndian.Uint16(record[submissionFlags:]))
	s.resource = word(submissionResource)
	s.deadlineMs = word(submissionDeadlineMs)
	s.nameAt, s.nameBytes = word(submissionName), word(submissionNameBytes)
	s.dataAt, s.dataBytes = word(submissionData), word(submissionDataBytes)
	s.metaAt, s.metaBytes = word(submissionMeta), word(submissionMetaBytes)
	s.argument0 = word(submissionArgument0)
	s.argument1 = word(submissionArgument1)
	s.argument2 = word(submissionArgument2)
	s.reserved = word(submissionReserved)
}

// check finds what is wrong with the record itself, whatever its operation.
func (s *submission) check(flagsAllowed uint32) error {
	switch {
	case s.opcode >= opcodeCount:
		return failed(StatusNotSupported, "opcode %d is unknown", s.opcode)
	case s.slot >= slotCountMax:
		return failed(StatusInvalid, "slot %d is over the limit", s.slot)
	case s.reserved != 0:
		return failed(StatusInvalid, "the reserved word is not 0")
	case s.flags&^flagsAllowed != 0:
		return failed(StatusInvalid, "a reserved flag is set")
	case s.deadlineMs > timerMsMax:
		return failed(StatusInvalid, "the deadline is over the limit")
	case s.nameBytes != 0 && !s.memory.contains(s.nameAt, s.nameBytes):
		return failed(StatusFault, "name lies outside memory")
	case s.dataBytes != 0 && !s.memory.contains(s.dataAt, s.dataBytes):
		return failed(StatusFault, "data lies outside memory")
	case s.metaBytes != 0 && !s.memory.contains(s.metaAt, s.metaBytes):
		return failed(StatusFault, "meta lies outside memory")
	}
	return nil
}

// argumentBytes is how many bytes the host must copy to perform this.
func (s *submission) argumentBytes() uint64 {
	return uint64(s.nameBytes) + uint64(s.dataBytes) + uint64(s.metaBytes)
}

// The ranges were found inside memory by check.

func (s *submission) name() (string, error) { return text(s.bytes(s.nameAt, s.nameBytes)) }

func (s *submission) dataText() (string, error) { return text(s.bytes(s.dataAt, s.dataBytes)) }

func (s *submission) metaText() (string, error) { return text(s.bytes(s.metaAt, s.metaBytes)) }

func (s *submission) metaPairs() ([]pair, error) { return decodePairs(s.bytes(s.metaAt, s.metaBytes)) }

// data copies.
func (s *submission) data() []byte { return append([]byte(nil), s.bytes(s.dataAt, s.dataBytes)...) }

func (s *submission) bytes(at, length uint32) []byte {
	if length == 0 {
		return nil // Without a length the pointer means nothing.
	}
	view, _ := s.memory.view(at, length)
	return view
}
