package proactor

import (
	"bytes"
	"slices"
	"testing"
)

func TestPairsKeepOrderAndRepeats(t *testing.T) {
	list := []pair{{"b", "1"}, {"a", ""}, {"b", "café"}}
	decoded, err := decodePairs(encodePairs(list, nil))
	if err != nil || !slices.Equal(decoded, list) {
		t.Fatalf("%v became %v, %v", list, decoded, err)
	}
}

// What is a list has one encoding only; what is none is refused, whatever it says of its lengths.
func FuzzPairs(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0})
	f.Add(encodePairs([]pair{{"name", "value"}, {"", ""}}, nil))
	f.Add(encodePairs([]pair{{"name", "value"}}, []byte("tail")))
	f.Add([]byte{1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 'a'})
	f.Fuzz(func(t *testing.T, source []byte) {
		pairs, err := decodePairs(source)
		if err != nil {
			if status := statusOf(err); status != StatusInvalid && status != StatusTooBig {
				t.Fatalf("%q: %v", source, err)
			}
			return
		}
		if len(source) > 0 && !bytes.Equal(encodePairs(pairs, nil), source) {
			t.Fatalf("%q is not what %v is encoded as", source, pairs)
		}
	})
}
