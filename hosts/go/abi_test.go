package proactor

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every number of the contract, by its name in assembly/abi.ts.
var numbers = map[string]int64{
	"CONTRACT_VERSION":            1,
	"SUBMISSION_BYTES":            submissionBytes,
	"SUBMISSION_TOKEN_SLOT":       submissionTokenSlot,
	"SUBMISSION_TOKEN_GENERATION": submissionTokenGeneration,
	"SUBMISSION_OPCODE":           submissionOpcode,
	"SUBMISSION_FLAGS":            submissionFlags,
	"SUBMISSION_RESOURCE":         submissionResource,
	"SUBMISSION_DEADLINE_MS":      submissionDeadlineMs,
	"SUBMISSION_NAME":             submissionName,
	"SUBMISSION_NAME_BYTES":       submissionNameBytes,
	"SUBMISSION_DATA":             submissionData,
	"SUBMISSION_DATA_BYTES":       submissionDataBytes,
	"SUBMISSION_META":             submissionMeta,
	"SUBMISSION_META_BYTES":       submissionMetaBytes,
	"SUBMISSION_ARGUMENT_0":       submissionArgument0,
	"SUBMISSION_ARGUMENT_1":       submissionArgument1,
	"SUBMISSION_ARGUMENT_2":       submissionArgument2,
	"SUBMISSION_ARGUMENT_3":       submissionReserved - 4, // No operation uses it.
	"SUBMISSION_RESERVED":         submissionReserved,
	"COMPLETION_BYTES":            completionBytes,
	"COMPLETION_TOKEN_SLOT":       completionTokenSlot,
	"COMPLETION_TOKEN_GENERATION": completionTokenGeneration,
	"COMPLETION_STATUS":           completionStatus,
	"COMPLETION_FLAGS":            completionFlags,
	"COMPLETION_RESOURCE":         completionResource,
	"COMPLETION_PAYLOAD":          completionPayload,
	"COMPLETION_PAYLOAD_BYTES":    completionPayloadBytes,
	"COMPLETION_AUXILIARY":        completionAuxiliary,
	"PAYLOAD_ALIGNMENT":           payloadAlignment,
	"PAIRS_HEAD_BYTES":            pairsHeadBytes,
	"PAIR_LENGTHS_BYTES":          pairLengthsBytes,
	"OPCODE_COUNT":                int64(opcodeCount),
	"ACCEPT_HEADERS":              flagAcceptHeaders,
	"RESPOND_FORWARD":             flagRespondForward,
	"FETCH_BODY":                  flagFetchBody,
	"KV_METADATA":                 flagKvMetadata,
	"REPORT_DROPPED":              flagReportDropped,
	"DETACHED":                    flagDetached,
	"MORE":                        flagMore,
	"RECLAIM":                     flagReclaim,
	"DISPATCHED":                  flagDispatched,
	"HANDLER_SHIFT":               8,          // For who watches a guest.
	"ARENA_BYTES_MAX":             33_554_432, // The guest library's.
	"SUBMIT_COUNT_MAX":            submitCountMax,
	"SLOT_COUNT_MAX":              slotCountMax,
	"RESOURCE_MAX":                resourceMax,
	"RESOURCE_NAME_BYTES_MAX":     resourceNameBytesMax,
	"ABORT_TEXT_BYTES_MAX":        abortTextBytesMax,
	"PAIR_COUNT_MAX":              pairCountMax,
	"TIMER_MS_MAX":                timerMsMax,
	"KV_KEY_BYTES_MAX":            kvKeyBytesMax,
	"KV_VALUE_BYTES_MAX":          kvValueBytesMax,
	"KV_METADATA_BYTES_MAX":       kvMetadataBytesMax,
	"KV_LIST_COUNT_MAX":           kvListCountMax,
	"KV_SECONDS_MAX":              kvSecondsMax,
	"KV_TTL_SECONDS_MIN":          kvTTLSecondsMin,
	"KV_CACHE_TTL_SECONDS_MIN":    kvCacheTTLSecondsMin,

	"Opcode.Noop":     int64(opcodeNoop),
	"Opcode.Cancel":   int64(opcodeCancel),
	"Opcode.Close":    int64(opcodeClose),
	"Opcode.Timer":    int64(opcodeTimer),
	"Opcode.Accept":   int64(opcodeAccept),
	"Opcode.Respond":  int64(opcodeRespond),
	"Opcode.Read":     int64(opcodeRead),
	"Opcode.Fetch":    int64(opcodeFetch),
	"Opcode.KvGet":    int64(opcodeKvGet),
	"Opcode.KvPut":    int64(opcodeKvPut),
	"Opcode.KvDelete": int64(opcodeKvDelete),
	"Opcode.KvList":   int64(opcodeKvList),
	"Opcode.Report":   int64(opcodeReport),
	"Opcode.Wait":     int64(opcodeWait),
	"Opcode.Wake":     int64(opcodeWake),

	"EventKind.Fetch":      eventFetch,
	"RedirectMode.Follow":  redirectFollow,
	"RedirectMode.Manual":  redirectManual,
	"RedirectMode.Error":   redirectError,
	"CancelResult.Won":     cancelWon,
	"CancelResult.TooLate": cancelTooLate,
	"CancelResult.Unknown": 2, // Only the guest's half says so.

	"Status.Ok":           int64(StatusOk),
	"Status.Invalid":      int64(StatusInvalid),
	"Status.Fault":        int64(StatusFault),
	"Status.BadResource":  int64(StatusBadResource),
	"Status.NotPermitted": int64(StatusNotPermitted),
	"Status.NotSupported": int64(StatusNotSupported),
	"Status.Again":        int64(StatusAgain),
	"Status.NotFound":     int64(StatusNotFound),
	"Status.Cancelled":    int64(StatusCancelled),
	"Status.TimedOut":     int64(StatusTimedOut),
	"Status.TooBig":       int64(StatusTooBig),
	"Status.Closed":       int64(StatusClosed),
	"Status.ShutDown":     int64(StatusShutDown),
	"Status.Failed":       int64(StatusFailed),
	"Status.Network":      int64(StatusNetwork),
	"Status.Aborted":      int64(StatusAborted),
	"Status.Redirect":     int64(StatusRedirect),
	"Status.Quota":        int64(StatusQuota),
	"Status.Precondition": int64(StatusPrecondition),
	"Status.RateLimited":  int64(StatusRateLimited),
}

var (
	constantPattern = regexp.MustCompile(`^export const (\w+): u32 = ([\w]+);`)
	enumPattern     = regexp.MustCompile(`^export enum (\w+) {`)
	memberPattern   = regexp.MustCompile(`^  (\w+) = (-?\d+),`)
)

func TestNumbersAreThoseOfTheContract(t *testing.T) {
	source, err := os.ReadFile("../../assembly/abi.ts")
	if err != nil {
		t.Fatal(err)
	}
	enum, seen := "", 0
	compare := func(name, text string) {
		seen++
		want, err := strconv.ParseInt(text, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := numbers[name]; !ok {
			t.Errorf("abi.ts has %s = %d, and this host knows nothing of it", name, want)
		} else if got != want {
			t.Errorf("%s is %d here, and %d in abi.ts", name, got, want)
		}
	}
	for line := range strings.Lines(string(source)) {
		if match := enumPattern.FindStringSubmatch(line); match != nil {
			enum = match[1]
		} else if match := memberPattern.FindStringSubmatch(line); match != nil {
			compare(enum+"."+match[1], match[2])
		} else if match := constantPattern.FindStringSubmatch(line); match != nil {
			compare(match[1], match[2])
		}
	}
	if seen != len(numbers) {
		t.Errorf("abi.ts has %d numbers, and this host %d", seen, len(numbers))
	}
}
