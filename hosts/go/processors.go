package proactor

// processors is which host code performs which opcode.
var processors [opcodeCount]*processor

// Filled in here: some of them name operations, which are named by this table.
func init() {
	processors = [opcodeCount]*processor{
		opcodeNoop:     noopProcessor,
		opcodeCancel:   cancelProcessor,
		opcodeClose:    closeProcessor,
		opcodeTimer:    timerProcessor,
		opcodeAccept:   acceptProcessor,
		opcodeRespond:  respondProcessor,
		opcodeRead:     readProcessor,
		opcodeFetch:    fetchProcessor,
		opcodeKvGet:    kvGetProcessor,
		opcodeKvPut:    kvPutProcessor,
		opcodeKvDelete: kvDeleteProcessor,
		opcodeKvList:   kvListProcessor,
		opcodeReport:   reportProcessor,
		opcodeWait:     waitProcessor,
		opcodeWake:     wakeProcessor,
	}
}

// processorOf is nil for an opcode that this host does not know.
func processorOf(code opcode) *processor {
	if code < opcodeCount {
		return processors[code]
	}
	return nil
}
