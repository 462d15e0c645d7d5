package proactor

import (
	"encoding/binary"
	"unicode/utf8"
)

// pair is an entry of the one encoding for lists of names and values: headers, list entries.
type pair struct{ name, value string }

// encodePairs encodes a list, followed by tail.
func encodePairs(pairs []pair, tail []byte) []byte {
	size := pairsHeadBytes + len(pairs)*pairLengthsBytes
	for _, pair := range pairs {
		size += len(pair.name) + len(pair.value)
	}
	bytes := make([]byte, 0, size+len(tail))
	bytes = binary.LittleEndian.AppendUint32(bytes, uint32(len(pairs)))
	for _, pair := range pairs {
		bytes = binary.LittleEndian.AppendUint32(bytes, uint32(len(pair.name)))
		bytes = binary.LittleEndian.AppendUint32(bytes, uint32(len(pair.value)))
	}
	for _, pair := range pairs {
		bytes = append(bytes, pair.name...)
		bytes = append(bytes, pair.value...)
	}
	return append(bytes, tail...)
}

// decodePairs decodes a list that fills bytes exactly.
func decodePairs(bytes []byte) ([]pair, error) {
	if len(bytes) == 0 {
		return nil, nil
	}
	if len(bytes) < pairsHeadBytes {
		return nil, malformed()
	}
	count := int(binary.LittleEndian.Uint32(bytes))
	if count > pairCountMax {
		return nil, failed(StatusTooBig, "list of pairs: more than %d pairs", pairCountMax)
	}
	textsAt := pairsHeadBytes + count*pairLengthsBytes
	if textsAt > len(bytes) {
		return nil, malformed()
	}
	lengths, texts := bytes[pairsHeadBytes:textsAt], string(bytes[textsAt:])
	pairs := make([]pair, count)
	for index := range pairs {
		nameBytes := uint64(binary.LittleEndian.Uint32(lengths[index*pairLengthsBytes:]))
		valueBytes := uint64(binary.LittleEndian.Uint32(lengths[index*pairLengthsBytes+4:]))
		if nameBytes+valueBytes > uint64(len(texts)) {
			return nil, malformed()
		}
		if nameBytes == 0 {
			return nil, failed(StatusInvalid, "list of pairs: a name is empty")
		}
		name, value := texts[:nameBytes], texts[nameBytes:nameBytes+valueBytes]
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, failed(StatusInvalid, "text is not UTF-8")
		}
		pairs[index] = pair{name, value}
		texts = texts[nameBytes+valueBytes:]
	}
	if texts != "" {
		return nil, malformed()
	}
	return pairs, nil
}

func malformed() error {
	return failed(StatusInvalid, "list of pairs: its lengths disagree")
}
