package proactor_test

import "encoding/binary"

// A module made by hand: it accepts requests, and its run is the given code.
func moduleOf(run ...byte) []byte {
	const i32, function = 0x7f, 0x60
	accept := make([]byte, 64)
	accept[8] = 4  // The opcode,
	accept[44] = 1 // and the kind of event.
	module := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	for _, section := range [][]byte{
		{1, 3, function, 2, i32, i32, 1, i32, function, 0, 0, function, 1, i32, 1, i32},
		append(append([]byte{2, 1}, name("proactor_v1")...), append(name("submit"), 0, 0)...),
		{3, 2, 1, 2},
		{5, 1, 0, 1},
		append(append(append([]byte{7, 3}, append(name("memory"), 2, 0)...), append(name("_initialize"), 0, 1)...),
			append(name("run"), 0, 2)...),
		append([]byte{10, 2}, append(code(0x41, 0, 0x41, 1, 0x10, 0, 0x1a), code(run...)...)...),
		append([]byte{11, 1, 0, 0x41, 0, 0x0b, 64}, accept...),
	} {
		module = append(module, section[0])
		module = binary.AppendUvarint(module, uint64(len(section)-1))
		module = append(module, section[1:]...)
	}
	return module
}

func name(text string) []byte { return append([]byte{byte(len(text))}, text...) }

func code(instructions ...byte) []byte {
	body := append(append([]byte{0}, instructions...), 0x0b)
	return append([]byte{byte(len(body))}, body...)
}
