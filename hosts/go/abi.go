package proactor

// The contract proactor_v1: every number that host and guest both read. The truth is assembly/abi.ts; a test compares.

const (
	contractModule = "proactor_v1"
	wasiModule     = "wasi_snapshot_preview1"
)

// A submission, 64 bytes, little-endian: the offsets of its fields.
const (
	submissionBytes           = 64
	submissionTokenSlot       = 0
	submissionTokenGeneration = 4
	submissionOpcode          = 8
	submissionFlags           = 10
	submissionResource        = 12
	submissionDeadlineMs      = 16
	submissionName            = 20
	submissionNameBytes       = 24
	submissionData            = 28
	submissionDataBytes       = 32
	submissionMeta            = 36
	submissionMetaBytes       = 40
	submissionArgument0       = 44
	submissionArgument1       = 48
	submissionArgument2       = 52
	submissionReserved        = 60
)

// A completion, 32 bytes, little-endian: the offsets of its fields.
const (
	completionBytes           = 32
	completionTokenSlot       = 0
	completionTokenGeneration = 4
	completionStatus          = 8
	completionFlags           = 12
	completionResource        = 16
	completionPayload         = 20
	completionPayloadBytes    = 24
	completionAuxiliary       = 28

	payloadAlignment = 8
)

// A list of pairs: a count, the lengths, the texts.
const (
	pairsHeadBytes   = 4
	pairLengthsBytes = 8
)

type opcode uint16

const (
	opcodeNoop opcode = iota
	opcodeCancel
	opcodeClose
	opcodeTimer
	opcodeAccept
	opcodeRespond
	opcodeRead
	opcodeFetch
	opcodeKvGet
	opcodeKvPut
	opcodeKvDelete
	opcodeKvList
	opcodeReport
	opcodeWait
	opcodeWake
	opcodeCount
)

// Submission flags. The low byte belongs to the operation, the high byte means the same everywhere.
const (
	flagAcceptHeaders  = 1
	flagRespondForward = 1
	flagFetchBody      = 1
	flagKvMetadata     = 1
	flagReportDropped  = 1
	flagDetached       = 0x8000
)

// Completion flags.
const (
	flagMore       = 1
	flagReclaim    = 2
	flagDispatched = 4
)

const eventFetch = 1

const (
	redirectFollow = iota
	redirectManual
	redirectError
)

const (
	cancelWon = iota
	cancelTooLate
)

// Status says how an operation ended: 0 is success, negative numbers are failures. HTTP statuses are not among these.
type Status int32

// The statuses of the contract; docs/contract.md has a sentence for each.
const (
	StatusOk           Status = 0
	StatusInvalid      Status = -1
	StatusFault        Status = -2
	StatusBadResource  Status = -3
	StatusNotPermitted Status = -4
	StatusNotSupported Status = -5
	StatusAgain        Status = -6
	StatusNotFound     Status = -7
	StatusCancelled    Status = -8
	StatusTimedOut     Status = -9
	StatusTooBig       Status = -10
	StatusClosed       Status = -11
	StatusShutDown     Status = -12
	StatusFailed       Status = -13
	StatusNetwork      Status = -32
	StatusAborted      Status = -33
	StatusRedirect     Status = -34
	StatusQuota        Status = -64
	StatusPrecondition Status = -65
	StatusRateLimited  Status = -66
)

// Limits of the contract. A host's own may be lower, never higher.
const (
	submitCountMax       = 4_096
	slotCountMax         = 1_048_576
	resourceMax          = 0x7fff_ffff
	resourceNameBytesMax = 256
	abortTextBytesMax    = 1_024
	pairCountMax         = 1_024
	timerMsMax           = 0x7fff_ffff
	kvKeyBytesMax        = 512
	kvValueBytesMax      = 26_214_400
	kvMetadataBytesMax   = 1_024
	kvListCountMax       = 1_000
	kvSecondsMax         = 0x7fff_ffff
	kvTTLSecondsMin      = 60
	kvCacheTTLSecondsMin = 30
)
