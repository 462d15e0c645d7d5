/* The contract proactor_v1 for guests in C. Made from assembly/abi.ts by scripts/header.ts: change it there. */

#ifndef PROACTOR_V1_H
#define PROACTOR_V1_H

#include <stddef.h>
#include <stdint.h>

/* The import module of the contract. Another version of the contract is another module name. */
#define PROACTOR_CONTRACT_VERSION 1u
#define PROACTOR_SUBMISSION_BYTES 64u
#define PROACTOR_SUBMISSION_TOKEN_SLOT 0u
#define PROACTOR_SUBMISSION_TOKEN_GENERATION 4u
#define PROACTOR_SUBMISSION_OPCODE 8u
#define PROACTOR_SUBMISSION_FLAGS 10u
#define PROACTOR_SUBMISSION_RESOURCE 12u
#define PROACTOR_SUBMISSION_DEADLINE_MS 16u
#define PROACTOR_SUBMISSION_NAME 20u
#define PROACTOR_SUBMISSION_NAME_BYTES 24u
#define PROACTOR_SUBMISSION_DATA 28u
#define PROACTOR_SUBMISSION_DATA_BYTES 32u
#define PROACTOR_SUBMISSION_META 36u
#define PROACTOR_SUBMISSION_META_BYTES 40u
#define PROACTOR_SUBMISSION_ARGUMENT_0 44u
#define PROACTOR_SUBMISSION_ARGUMENT_1 48u
#define PROACTOR_SUBMISSION_ARGUMENT_2 52u
#define PROACTOR_SUBMISSION_ARGUMENT_3 56u
#define PROACTOR_SUBMISSION_RESERVED 60u
#define PROACTOR_COMPLETION_BYTES 32u
#define PROACTOR_COMPLETION_TOKEN_SLOT 0u
#define PROACTOR_COMPLETION_TOKEN_GENERATION 4u
#define PROACTOR_COMPLETION_STATUS 8u
#define PROACTOR_COMPLETION_FLAGS 12u
#define PROACTOR_COMPLETION_RESOURCE 16u
#define PROACTOR_COMPLETION_PAYLOAD 20u
#define PROACTOR_COMPLETION_PAYLOAD_BYTES 24u
#define PROACTOR_COMPLETION_AUXILIARY 28u
/* Payloads start at multiples of this many bytes. */
#define PROACTOR_PAYLOAD_ALIGNMENT 8u
#define PROACTOR_PAIRS_HEAD_BYTES 4u
#define PROACTOR_PAIR_LENGTHS_BYTES 8u
/* One more than the largest opcode of this version. */
#define PROACTOR_OPCODE_COUNT 15u
/* Accept: the head has the request's headers too, and not only its method and URL. */
#define PROACTOR_ACCEPT_HEADERS 1u
/* Respond: take status and headers from the forwarded response too. */
#define PROACTOR_RESPOND_FORWARD 1u
/* Fetch: the completion carries the body, at most argument 0 bytes; without it the body stays with the host as a resource. */
#define PROACTOR_FETCH_BODY 1u
/* KvGet: the payload starts with the metadata, whose length is the auxiliary word. */
#define PROACTOR_KV_METADATA 1u
/* Report: another operation took the place of the one that failed. */
#define PROACTOR_REPORT_DROPPED 1u
/* Nobody handles the completion: the host reports a failure to `onError`. */
#define PROACTOR_DETACHED 0x8000u
/* Another completion with this token will follow. */
#define PROACTOR_MORE 1u
/* The context has ended: free the slot and call nobody. */
#define PROACTOR_RECLAIM 2u
/* Set by the guest, in the record, when it calls the record's handler: lets the host name the handler that trapped. */
#define PROACTOR_DISPATCHED 4u
/* Above this bit the guest writes, with DISPATCHED, the handler's index in the module's table of functions; 0 if it has none. */
#define PROACTOR_HANDLER_SHIFT 8u
/* Submissions in one call of `submit`. */
#define PROACTOR_SUBMIT_COUNT_MAX 4096u
/* A token's slot is below this number, so operations in flight are at most this many. */
#define PROACTOR_SLOT_COUNT_MAX 1048576u
/* Resource numbers are 1 to this number; each is given out once. */
#define PROACTOR_RESOURCE_MAX 0x7fffffffu
/* Bytes of a name given to `open`. */
#define PROACTOR_RESOURCE_NAME_BYTES_MAX 256u
/* Bytes of each text that `abort` reports; the host drops what is longer. */
#define PROACTOR_ABORT_TEXT_BYTES_MAX 1024u
/* Pairs in a list of headers. */
#define PROACTOR_PAIR_COUNT_MAX 1024u
/* Milliseconds of a timer or a deadline: 24.8 days, what a platform's timer takes. */
#define PROACTOR_TIMER_MS_MAX 0x7fffffffu
/* Bytes that the guest library's arena grows to; a larger payload completes with TooBig. */
#define PROACTOR_ARENA_BYTES_MAX 33554432u
/* Bytes of a key, UTF-8. */
#define PROACTOR_KV_KEY_BYTES_MAX 512u
/* Bytes of a value. */
#define PROACTOR_KV_VALUE_BYTES_MAX 26214400u
/* Bytes of a value's metadata, serialised JSON. */
#define PROACTOR_KV_METADATA_BYTES_MAX 1024u
/* Keys in one answer to a list. */
#define PROACTOR_KV_LIST_COUNT_MAX 1000u
/* Seconds since 1970, or from now, at which a value may end at the latest; what Workers KV takes. */
#define PROACTOR_KV_SECONDS_MAX 0x7fffffffu
/* Seconds; the least time to live of a value. */
#define PROACTOR_KV_TTL_SECONDS_MIN 60u
/* Seconds; the least time that an edge cache keeps a value. */
#define PROACTOR_KV_CACHE_TTL_SECONDS_MIN 30u

/* What a submission asks for. */
enum proactor_opcode {
  /* Completes with Ok on the next turn. */
  PROACTOR_OPCODE_NOOP = 0,
  /* Ends the operation whose token is (argument 0, argument 1); the auxiliary word answers with a CancelResult. */
  PROACTOR_OPCODE_CANCEL = 1,
  /* Gives a resource back; what is in flight on it is cancelled. */
  PROACTOR_OPCODE_CLOSE = 2,
  /* Completes with Ok, no earlier than argument 0 milliseconds from now. */
  PROACTOR_OPCODE_TIMER = 3,
  /* Multishot. Completes, flagged MORE, once for each incoming event whose kind is in argument 0's bits. */
  PROACTOR_OPCODE_ACCEPT = 4,
  /* Answers an exchange: argument 0 the HTTP status, meta the headers, data the body or argument 1 a resource to stream. */
  PROACTOR_OPCODE_RESPOND = 5,
  /* Reads the whole body of an exchange or of a response, at most argument 0 bytes. */
  PROACTOR_OPCODE_READ = 6,
  /* Sends the HTTP request whose head is meta and whose body is data (or argument 2, a resource to stream). */
  PROACTOR_OPCODE_FETCH = 7,
  /* Reads the value at the key `name`. */
  PROACTOR_OPCODE_KV_GET = 8,
  /* Writes `data` at the key `name`, with `meta` as its JSON metadata. */
  PROACTOR_OPCODE_KV_PUT = 9,
  /* Removes the key `name`. */
  PROACTOR_OPCODE_KV_DELETE = 10,
  /* Lists the keys that start with `name`, from the cursor `data`. */
  PROACTOR_OPCODE_KV_LIST = 11,
  /* Tells `onError` of the failure of an operation `name` that the host does not know: argument 0 its status, the token (argument 1, argument 2), data the message. */
  PROACTOR_OPCODE_REPORT = 12,
  /* Completes with Ok when a wake names its token. */
  PROACTOR_OPCODE_WAIT = 13,
  /* Completes the wait whose token is (argument 0, argument 1), in whichever context of the instance that is. */
  PROACTOR_OPCODE_WAKE = 14,
};

/* Kinds of event that an accept listens for; the auxiliary word of its completions. A bit each. */
enum proactor_event_kind {
  /* An HTTP request. The resource is its exchange, the payload its head. */
  PROACTOR_EVENT_KIND_FETCH = 1,
};

/* What fetch does with a redirect, argument 1. Every hop is checked against the granted origins. */
enum proactor_redirect_mode {
  PROACTOR_REDIRECT_MODE_FOLLOW = 0,
  /* The 3xx response is the result. */
  PROACTOR_REDIRECT_MODE_MANUAL = 1,
  /* A redirect completes with Redirect. */
  PROACTOR_REDIRECT_MODE_ERROR = 2,
};

/* The answer to a cancel. */
enum proactor_cancel_result {
  /* The handler sees Cancelled, even if the work has succeeded meanwhile. */
  PROACTOR_CANCEL_RESULT_WON = 0,
  /* The operation had completed already. */
  PROACTOR_CANCEL_RESULT_TOO_LATE = 1,
  /* No operation had this token. */
  PROACTOR_CANCEL_RESULT_UNKNOWN = 2,
};

/* Success is ≥ 0, an error is negative. A number that is not listed is a generic failure. */
enum proactor_status {
  PROACTOR_STATUS_OK = 0,
  /* An argument has a value that the operation does not allow. */
  PROACTOR_STATUS_INVALID = -1,
  /* A pointer and its length do not lie inside the guest's memory. */
  PROACTOR_STATUS_FAULT = -2,
  /* No such resource here, or it is of another kind. */
  PROACTOR_STATUS_BAD_RESOURCE = -3,
  /* The resource was granted without this right, or the URL is outside the granted origins. */
  PROACTOR_STATUS_NOT_PERMITTED = -4,
  /* This host has no such operation. */
  PROACTOR_STATUS_NOT_SUPPORTED = -5,
  /* The host is at its limit now; the same call may succeed after a completion. */
  PROACTOR_STATUS_AGAIN = -6,
  /* There is nothing under this name. */
  PROACTOR_STATUS_NOT_FOUND = -7,
  /* The guest cancelled the operation. */
  PROACTOR_STATUS_CANCELLED = -8,
  /* The deadline passed first; the work was aborted. */
  PROACTOR_STATUS_TIMED_OUT = -9,
  /* More bytes than the limit or the guest's arena allows. */
  PROACTOR_STATUS_TOO_BIG = -10,
  /* The exchange was answered already, or the body was read already. */
  PROACTOR_STATUS_CLOSED = -11,
  /* The host is shutting down. */
  PROACTOR_STATUS_SHUT_DOWN = -12,
  /* Any other failure; the payload may say more. */
  PROACTOR_STATUS_FAILED = -13,
  /* The connection failed. */
  PROACTOR_STATUS_NETWORK = -32,
  /* The peer or the platform ended the transfer. */
  PROACTOR_STATUS_ABORTED = -33,
  /* Too many redirects, or one that the redirect mode refuses. */
  PROACTOR_STATUS_REDIRECT = -34,
  /* The store is full or the account's allowance is used up. */
  PROACTOR_STATUS_QUOTA = -64,
  /* A condition of the write does not hold. */
  PROACTOR_STATUS_PRECONDITION = -65,
  /* Too many writes to one key, or too many calls; wait before the next. */
  PROACTOR_STATUS_RATE_LIMITED = -66,
};

/* Records, little-endian, at multiples of 4 bytes. */

typedef struct {
  uint32_t token_slot;
  uint32_t token_generation;
  uint16_t opcode;
  uint16_t flags;
  uint32_t resource;
  uint32_t deadline_ms;
  const void *name;
  uint32_t name_bytes;
  const void *data;
  uint32_t data_bytes;
  const void *meta;
  uint32_t meta_bytes;
  uint32_t argument[4];
  uint32_t reserved;
} proactor_submission;

typedef struct {
  uint32_t token_slot;
  uint32_t token_generation;
  int32_t status;
  uint32_t flags;
  uint32_t resource;
  const void *payload;
  uint32_t payload_bytes;
  uint32_t auxiliary;
} proactor_completion;

_Static_assert(sizeof(proactor_submission) == PROACTOR_SUBMISSION_BYTES, "proactor_submission");
_Static_assert(offsetof(proactor_submission, token_slot) == PROACTOR_SUBMISSION_TOKEN_SLOT, "token_slot");
_Static_assert(offsetof(proactor_submission, token_generation) == PROACTOR_SUBMISSION_TOKEN_GENERATION, "token_generation");
_Static_assert(offsetof(proactor_submission, opcode) == PROACTOR_SUBMISSION_OPCODE, "opcode");
_Static_assert(offsetof(proactor_submission, flags) == PROACTOR_SUBMISSION_FLAGS, "flags");
_Static_assert(offsetof(proactor_submission, resource) == PROACTOR_SUBMISSION_RESOURCE, "resource");
_Static_assert(offsetof(proactor_submission, deadline_ms) == PROACTOR_SUBMISSION_DEADLINE_MS, "deadline_ms");
_Static_assert(offsetof(proactor_submission, name) == PROACTOR_SUBMISSION_NAME, "name");
_Static_assert(offsetof(proactor_submission, name_bytes) == PROACTOR_SUBMISSION_NAME_BYTES, "name_bytes");
_Static_assert(offsetof(proactor_submission, data) == PROACTOR_SUBMISSION_DATA, "data");
_Static_assert(offsetof(proactor_submission, data_bytes) == PROACTOR_SUBMISSION_DATA_BYTES, "data_bytes");
_Static_assert(offsetof(proactor_submission, meta) == PROACTOR_SUBMISSION_META, "meta");
_Static_assert(offsetof(proactor_submission, meta_bytes) == PROACTOR_SUBMISSION_META_BYTES, "meta_bytes");
_Static_assert(offsetof(proactor_submission, argument[0]) == PROACTOR_SUBMISSION_ARGUMENT_0, "argument[0]");
_Static_assert(offsetof(proactor_submission, argument[1]) == PROACTOR_SUBMISSION_ARGUMENT_1, "argument[1]");
_Static_assert(offsetof(proactor_submission, argument[2]) == PROACTOR_SUBMISSION_ARGUMENT_2, "argument[2]");
_Static_assert(offsetof(proactor_submission, argument[3]) == PROACTOR_SUBMISSION_ARGUMENT_3, "argument[3]");
_Static_assert(offsetof(proactor_submission, reserved) == PROACTOR_SUBMISSION_RESERVED, "reserved");
_Static_assert(sizeof(proactor_completion) == PROACTOR_COMPLETION_BYTES, "proactor_completion");
_Static_assert(offsetof(proactor_completion, token_slot) == PROACTOR_COMPLETION_TOKEN_SLOT, "token_slot");
_Static_assert(offsetof(proactor_completion, token_generation) == PROACTOR_COMPLETION_TOKEN_GENERATION, "token_generation");
_Static_assert(offsetof(proactor_completion, status) == PROACTOR_COMPLETION_STATUS, "status");
_Static_assert(offsetof(proactor_completion, flags) == PROACTOR_COMPLETION_FLAGS, "flags");
_Static_assert(offsetof(proactor_completion, resource) == PROACTOR_COMPLETION_RESOURCE, "resource");
_Static_assert(offsetof(proactor_completion, payload) == PROACTOR_COMPLETION_PAYLOAD, "payload");
_Static_assert(offsetof(proactor_completion, payload_bytes) == PROACTOR_COMPLETION_PAYLOAD_BYTES, "payload_bytes");
_Static_assert(offsetof(proactor_completion, auxiliary) == PROACTOR_COMPLETION_AUXILIARY, "auxiliary");

/* What the host provides. docs/contract.md says what each returns. */

#define PROACTOR_IMPORT(name) __attribute__((import_module("proactor_v1"), import_name(name)))
#define PROACTOR_EXPORT(name) __attribute__((export_name(name)))

PROACTOR_IMPORT("submit") int32_t proactor_submit(const proactor_submission *submissions, uint32_t count);
PROACTOR_IMPORT("poll")
int32_t proactor_poll(proactor_completion *completions, uint32_t capacity, void *arena, uint32_t arena_bytes);
PROACTOR_IMPORT("open") int32_t proactor_open(const void *name, uint32_t name_bytes);
PROACTOR_IMPORT("abort")
_Noreturn void proactor_abort(const void *message, uint32_t message_bytes, const void *file, uint32_t file_bytes,
                              uint32_t line, uint32_t column);

#endif
