package proactor

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A module whose memory is one page and that does nothing by itself: the test calls the imports in its place.
//
//	(module (memory (export "memory") 1)
//	  (func (export "_initialize")) (func (export "run") (param i32) (result i32) (i32.const 0)))
var puppet = []byte("\x00asm\x01\x00\x00\x00\x01\x09\x02\x60\x00\x00\x60\x01\x7f\x01\x7f\x03\x03\x02\x00\x01\x05\x03\x01\x00\x01" +
	"\x07\x1e\x03\x06memory\x02\x00\x0b_initialize\x00\x00\x03run\x00\x01\x0a\x09\x02\x02\x00\x0b\x04\x00\x41\x00\x0b")

// Whatever numbers a guest calls the imports with, the host stays in the ranges that they name, and never fails itself.
func TestImportsTakeAnyNumbers(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 0))
		c := newPuppet(t)
		for range 40 {
			callAnything(t, random, c)
		}
		c.instance.mutex.Unlock()
		if err := c.instance.proactor.Close(); err != nil {
			t.Fatal(err)
		}
		if left := c.instance.proactor.Counters(); left.Contexts+left.InFlight+left.Instances != 0 {
			t.Fatalf("seed %d: %+v", seed, left)
		}
	}
}

// newPuppet gives a context in the middle of its turn. The caller owns its instance.
func newPuppet(t *testing.T) *requestContext {
	p, err := New(context.Background(), puppet, Options{
		Resources: map[string]Grant{"A": KV(MemoryStore()), "B": Origin("http://127.0.0.1:1")},
		Limits:    Limits{InFlight: 100, Resources: 50},
		OnError:   func(Report) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	i, err := p.checkOut()
	if err != nil {
		t.Fatal(err)
	}
	c := newRequestContext(i, httptest.NewRequest(http.MethodPost, "http://guest.test/", nil))
	i.mutex.Lock()
	if !p.enter(c) {
		t.Fatal("the proactor takes no requests")
	}
	i.active, i.current, i.left = c, &c.ioContext, 1<<20
	c.addResource(&c.exchange)
	return c
}

func callAnything(t *testing.T, random *rand.Rand, c *requestContext) {
	i := c.instance
	memory, _ := i.memory.view(0, pageBytes)
	switch random.IntN(3) {
	case 0:
		at, count := number(random), number(random)%8
		for offset := 0; offset < 8*submissionBytes; offset += 4 {
			if place := int(at) + offset; at <= pageBytes && place+4 <= pageBytes {
				binary.LittleEndian.PutUint32(memory[place:], field(random, offset%submissionBytes))
			}
		}
		before := bytes.Clone(memory)
		if result := i.submit(at, count); result > Status(count) {
			t.Fatalf("submit %d %d -> %d", at, count, result)
		}
		if !bytes.Equal(before, memory) {
			t.Fatalf("submit %d %d writes", at, count)
		}
	case 1:
		at, capacity, arena, arenaBytes := number(random), number(random), number(random), number(random)
		before := bytes.Clone(memory)
		result := i.poll(at, capacity, arena, arenaBytes)
		records := uint64(max(result, 0)) * completionBytes
		if result == StatusTooBig {
			records = completionBytes
		}
		for place := range uint64(pageBytes) {
			isNamed := place >= uint64(at) && place < uint64(at)+records ||
				result > 0 && place >= uint64(arena) && place < uint64(arena)+uint64(arenaBytes)
			if !isNamed && before[place] != memory[place] {
				t.Fatalf("poll %d %d %d %d -> %d writes at %d", at, capacity, arena, arenaBytes, result, place)
			}
		}
	case 2:
		at := number(random)
		if at < pageBytes {
			memory[at] = "AB"[random.IntN(2)]
		}
		i.open(at, number(random)%3)
	}
}

// number is one that a careless check would let pass.
func number(random *rand.Rand) uint32 {
	near := []uint32{0, 8, 4096, pageBytes - 64, pageBytes, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff}
	return (near[random.IntN(len(near))] + uint32(random.IntN(5)-2)*4) &^ uint32(random.IntN(2)*3)
}

// field is a word of a submission that is often what an operation wants.
func field(random *rand.Rand, offset int) uint32 {
	switch {
	case random.IntN(12) == 0:
		return number(random)
	case offset == submissionTokenSlot:
		return uint32(random.IntN(200))
	case offset == submissionOpcode:
		return uint32(random.IntN(int(opcodeCount)+1)) | uint32(random.IntN(2))<<16
	case offset == submissionResource:
		return uint32(random.IntN(5))
	case offset == submissionReserved:
		return 0
	case offset >= submissionArgument0:
		return uint32(random.IntN(4)) * 100
	}
	return uint32(random.IntN(300))
}
