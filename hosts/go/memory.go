package proactor

import (
	"unicode/utf8"

	"github.com/tetratelabs/wazero/api"
)

// memory is the guest's linear memory, seen through checks.
//
// The guest is not trusted. A pointer and a length become a view only if they lie inside the memory as it is now, and
// no view is kept: the guest's next step may grow the memory and leave the view behind.
type memory struct{ api.Memory }

// view is the range as it lies there, until the guest runs again.
func (m memory) view(at, length uint32) ([]byte, bool) { return m.Read(at, length) }

func (m memory) contains(at, length uint32) bool {
	_, ok := m.Read(at, length)
	return ok
}

// records is a view of count records of so many bytes each.
func (m memory) records(at, count, bytes uint32) ([]byte, bool) {
	if at&3 != 0 || uint64(count)*uint64(bytes) > uint64(m.Size()) {
		return nil, false
	}
	return m.Read(at, count*bytes)
}

// text copies UTF-8.
func text(bytes []byte) (string, error) {
	if !utf8.Valid(bytes) {
		return "", failed(StatusInvalid, "text is not UTF-8")
	}
	return string(bytes), nil
}
