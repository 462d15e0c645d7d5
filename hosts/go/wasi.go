package proactor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/api"
)

// WASI: console, clock and random numbers, as AssemblyScript's wasi-shim and the usual C libraries ask for them. None of
// it reaches beyond the console, and none of it waits.

// Errors of WASI.
const (
	wasiSuccess = 0
	wasiAgain   = 6
	wasiBadFile = 8
	wasiFault   = 21
	wasiInvalid = 28
	wasiNotSup  = 58
	wasiSeek    = 70
)

const (
	// pieceCountMax bounds the pieces of memory in one call of fd_read or fd_write.
	pieceCountMax = 1024
	pieceBytes    = 8
	// lineLengthMax is the characters after which a line is written though it has not ended: the guest might never end it.
	lineLengthMax = 8192
)

var (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

var wasiImports = map[string]hostFunction{
	"args_get":          wasi(2, func(*instance, []uint64) uint32 { return wasiSuccess }),
	"args_sizes_get":    wasi(2, noSizes),
	"environ_get":       wasi(2, func(*instance, []uint64) uint32 { return wasiSuccess }),
	"environ_sizes_get": wasi(2, noSizes),
	"clock_res_get":     wasi(2, func(i *instance, p []uint64) uint32 { return i.putUint64(p[1], 1) }),
	"clock_time_get": {answering(func(i *instance, p []uint64) uint32 {
		return i.putUint64(p[2], uint64(i.proactor.time(uint32(p[0]))))
	}), []api.ValueType{i32, i64, i32}, i32s(1)},
	"fd_close":      wasi(1, func(i *instance, p []uint64) uint32 { return i.console.close(uint32(p[0])) }),
	"fd_fdstat_get": wasi(2, fdstatGet),
	"fd_read":       wasi(4, fdRead),
	"fd_seek": {answering(func(i *instance, p []uint64) uint32 {
		if !i.console.isOpen(uint32(p[0])) {
			return wasiBadFile
		}
		return wasiSeek
	}), []api.ValueType{i32, i64, i32, i32}, i32s(1)},
	"fd_write":    wasi(4, fdWrite),
	"poll_oneoff": wasi(4, func(*instance, []uint64) uint32 { return wasiNotSup }),
	"proc_exit":   {func(_ *instance, p []uint64) { panic(exit(uint32(p[0]))) }, i32s(1), nil},
	"random_get":  wasi(2, randomGet),
}

// exit is a trap by proc_exit.
func exit(code uint32) error { return failed(StatusFailed, "the module exited with code %d", code) }

// wasi is a function with so many i32 parameters that answers with an error number.
func wasi(parameters int, call func(*instance, []uint64) uint32) hostFunction {
	return hostFunction{answering(call), i32s(parameters), i32s(1)}
}

func answering(call func(*instance, []uint64) uint32) func(*instance, []uint64) {
	return func(i *instance, stack []uint64) { stack[0] = uint64(call(i, stack)) }
}

// pointed is what a function's result goes to, or what it writes. If that lies outside memory it is a trap, as it would
// be if the module reached there itself.
func (i *instance) pointed(at, length uint64) []byte {
	if i.memory.Memory != nil {
		if view, ok := i.memory.view(uint32(at), uint32(length)); ok {
			return view
		}
	}
	panic(errors.New("a pointer given to WASI lies outside memory"))
}

func (i *instance) putUint32(at uint64, value uint32) uint32 {
	binary.LittleEndian.PutUint32(i.pointed(at, 4), value)
	return wasiSuccess
}

func (i *instance) putUint64(at uint64, value uint64) uint32 {
	binary.LittleEndian.PutUint64(i.pointed(at, 8), value)
	return wasiSuccess
}

func noSizes(i *instance, p []uint64) uint32 {
	i.putUint32(p[0], 0)
	return i.putUint32(p[1], 0)
}

const clockRealtime = 0

// time is that of a clock of WASI, in nanoseconds: since 1970, or since the start.
func (p *Proactor) time(clock uint32) int64 {
	now := p.platform.Now()
	if clock == clockRealtime {
		return now.UnixNano()
	}
	return now.Sub(p.started).Nanoseconds()
}

func randomGet(i *instance, p []uint64) uint32 {
	if i.memory.Memory == nil {
		return wasiFault
	}
	view, ok := i.memory.view(uint32(p[0]), uint32(p[1]))
	if !ok {
		return wasiFault
	}
	if i.proactor.platform.Random(view) != nil {
		return wasiAgain
	}
	return wasiSuccess
}

// fdstatGet: all three are character devices; the first may be read, the others written.
func fdstatGet(i *instance, p []uint64) uint32 {
	const (
		characterDevice = 2
		rightRead       = 1 << 1
		rightWrite      = 1 << 6
	)
	if !i.console.isOpen(uint32(p[0])) {
		return wasiBadFile
	}
	stat := i.pointed(p[1], 24)
	clear(stat)
	stat[0] = characterDevice
	rights := uint64(rightWrite)
	if uint32(p[0]) == 0 {
		rights = rightRead
	}
	binary.LittleEndian.PutUint64(stat[8:], rights)
	return wasiSuccess
}

// fdRead: descriptor 0 is empty.
func fdRead(i *instance, p []uint64) uint32 {
	switch {
	case uint32(p[2]) > pieceCountMax:
		return wasiInvalid
	case uint32(p[0]) != 0 || !i.console.isOpen(0):
		return wasiBadFile
	}
	return i.putUint32(p[3], 0)
}

func fdWrite(i *instance, p []uint64) uint32 {
	descriptor, at, count := uint32(p[0]), p[1], p[2]
	if uint32(count) > pieceCountMax {
		return wasiInvalid
	}
	line := i.console.line(i.proactor, descriptor)
	if line == nil {
		return wasiBadFile
	}
	var written uint32
	for pieces := i.pointed(at, uint64(uint32(count))*pieceBytes); len(pieces) > 0; pieces = pieces[pieceBytes:] {
		from, length := binary.LittleEndian.Uint32(pieces), binary.LittleEndian.Uint32(pieces[4:])
		piece := i.pointed(uint64(from), uint64(length))
		line.write(piece)
		written += uint32(len(piece))
	}
	return i.putUint32(p[3], written)
}

// console is what an instance's guest writes: by lines, as consoles do.
type console struct {
	closed [3]bool
	lines  [3]*consoleLine
}

func (c *console) isOpen(descriptor uint32) bool { return descriptor <= 2 && !c.closed[descriptor] }

func (c *console) close(descriptor uint32) uint32 {
	if !c.isOpen(descriptor) {
		return wasiBadFile
	}
	c.closed[descriptor] = true
	return wasiSuccess
}

func (c *console) line(p *Proactor, descriptor uint32) *consoleLine {
	if descriptor == 0 || !c.isOpen(descriptor) {
		return nil
	}
	if c.lines[descriptor] == nil {
		writer := p.stdout
		if descriptor == 2 {
			writer = p.stderr
		}
		c.lines[descriptor] = &consoleLine{writer: writer}
	}
	return c.lines[descriptor]
}

type consoleLine struct {
	writer *lineWriter
	text   []byte
}

func (l *consoleLine) write(piece []byte) {
	l.text = append(l.text, piece...)
	for {
		end := bytes.IndexByte(l.text, '\n')
		if end < 0 {
			break
		}
		l.writer.write(l.text[:end])
		l.text = l.text[end+1:]
	}
	if len(l.text) >= lineLengthMax && utf8.RuneCount(l.text) >= lineLengthMax {
		l.writer.write(l.text)
		l.text = nil
	}
}

// lineWriter writes whole lines of many instances.
type lineWriter struct {
	mutex  sync.Mutex
	writer io.Writer
}

func (w *lineWriter) write(line []byte) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.writer.Write(append(bytes.ToValidUTF8(line, []byte("\uFFFD")), '\n'))
}
