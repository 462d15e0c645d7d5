/* A guest in C, without a library: three routes of the deployed Worker, on hosts in any language. `npm run build` compiles
 * it where clang is.
 *
 * Nothing here waits. A handler writes submissions; `run` hands them over when all completions have been dispatched. */

#include "../../include/proactor_v1.h"

#define OPERATIONS 4096
#define BATCH 256
#define ARENA_BYTES 65536
#define TEXTS_BYTES 65536

typedef void (*handler)(uint32_t exchange, const proactor_completion *completion);

/* The handler table: who hears of an operation's completion, and for which exchange. */
static struct {
  handler handler;
  uint32_t exchange;
  uint32_t generation;
  uint32_t next_free;
} operations[OPERATIONS];
static uint32_t first_free;

static proactor_submission submissions[BATCH];
static uint32_t prepared;
static proactor_completion completions[BATCH];
static _Alignas(8) uint8_t arena[ARENA_BYTES];
/* What submissions point at until they have been handed over. */
static char texts[TEXTS_BYTES];
static uint32_t texts_bytes;
static uint32_t upstream;

#define LENGTH(text) (sizeof(text) - 1)

void *memset(void *to, int value, size_t bytes) {
  for (size_t at = 0; at < bytes; at++) ((uint8_t *)to)[at] = (uint8_t)value;
  return to;
}

void *memcpy(void *to, const void *from, size_t bytes) {
  for (size_t at = 0; at < bytes; at++) ((uint8_t *)to)[at] = ((const uint8_t *)from)[at];
  return to;
}

static int starts_with(const char *text, uint32_t bytes, const char *start, uint32_t start_bytes) {
  if (bytes < start_bytes) return 0;
  for (uint32_t at = 0; at < start_bytes; at++)
    if (text[at] != start[at]) return 0;
  return 1;
}

/* Submissions */

static void give_back(uint32_t slot) {
  operations[slot].handler = 0;
  operations[slot].next_free = first_free;
  first_free = slot;
}

static void hand_over(void) {
  for (uint32_t from = 0; from < prepared;) {
    int32_t admitted = proactor_submit(submissions + from, prepared - from);
    if (admitted < 0) __builtin_trap();
    from += (uint32_t)admitted;
    /* The host is at its limit. What lies behind may make room. */
    if (from < prepared) give_back(submissions[from++].token_slot);
  }
  prepared = texts_bytes = 0;
}

static proactor_submission *prepare(uint16_t opcode, uint32_t resource, handler handler, uint32_t exchange) {
  if (prepared == BATCH || texts_bytes > TEXTS_BYTES / 2) hand_over();
  uint32_t slot = first_free;
  if (slot == OPERATIONS) __builtin_trap();
  first_free = operations[slot].next_free;
  operations[slot].handler = handler;
  operations[slot].exchange = exchange;
  proactor_submission *submission = &submissions[prepared++];
  memset(submission, 0, sizeof *submission);
  submission->token_slot = slot;
  submission->token_generation = ++operations[slot].generation;
  submission->opcode = opcode;
  submission->resource = resource;
  return submission;
}

/* A list of one pair, as meta. */
static void set_pair(proactor_submission *submission, const char *name, uint32_t name_bytes, const char *value,
                     uint32_t value_bytes) {
  uint32_t head[3] = {1, name_bytes, value_bytes};
  char *at = texts + texts_bytes;
  memcpy(at, head, sizeof head);
  memcpy(at + sizeof head, name, name_bytes);
  memcpy(at + sizeof head + name_bytes, value, value_bytes);
  submission->meta = at;
  submission->meta_bytes = sizeof head + name_bytes + value_bytes;
  texts_bytes += submission->meta_bytes;
}

static void done(uint32_t exchange, const proactor_completion *completion) {
  (void)exchange, (void)completion;
}

static void answer(uint32_t exchange, uint32_t status, const char *type, uint32_t type_bytes, const char *body,
                   uint32_t body_bytes) {
  proactor_submission *submission = prepare(PROACTOR_OPCODE_RESPOND, exchange, done, exchange);
  submission->argument[0] = status;
  submission->data = body;
  submission->data_bytes = body_bytes;
  set_pair(submission, "content-type", LENGTH("content-type"), type, type_bytes);
}

#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json; charset=utf-8"
#define ANSWER(exchange, status, type, body) answer(exchange, status, type, LENGTH(type), body, LENGTH(body))

/* Routes */

static void awake(uint32_t exchange, const proactor_completion *completion) {
  (void)completion;
  ANSWER(exchange, 200, TEXT, "awake");
}

static void sleep_route(uint32_t exchange, const char *digits, uint32_t bytes) {
  uint32_t ms = 0;
  for (uint32_t at = 0; at < bytes; at++) {
    if (digits[at] < '0' || digits[at] > '9' || bytes > 5) {
      ANSWER(exchange, 400, JSON, "{\"error\":\"bad-request\",\"detail\":\"sleep 0 to 30000 ms: /sleep/100\"}");
      return;
    }
    ms = ms * 10 + (uint32_t)(digits[at] - '0');
  }
  prepare(PROACTOR_OPCODE_TIMER, 0, awake, exchange)->argument[0] = ms;
}

static void forward(uint32_t exchange, const proactor_completion *completion) {
  if (completion->status == PROACTOR_STATUS_NOT_PERMITTED) {
    ANSWER(exchange, 403, JSON, "{\"error\":\"forbidden\",\"detail\":\"the URL leads elsewhere\"}");
    return;
  }
  if (completion->status < 0) {
    ANSWER(exchange, 502, JSON, "{\"error\":\"bad-gateway\",\"detail\":\"the upstream failed\"}");
    return;
  }
  proactor_submission *submission = prepare(PROACTOR_OPCODE_RESPOND, exchange, done, exchange);
  submission->flags = PROACTOR_RESPOND_FORWARD;
  submission->argument[1] = completion->resource;
}

static void proxy_route(uint32_t exchange, const char *target, uint32_t bytes) {
  if (bytes > TEXTS_BYTES / 4) {
    ANSWER(exchange, 414, JSON, "{\"error\":\"uri-too-long\",\"detail\":\"the URL is too long\"}");
    return;
  }
  proactor_submission *submission = prepare(PROACTOR_OPCODE_FETCH, upstream, forward, exchange);
  submission->argument[1] = PROACTOR_REDIRECT_MODE_MANUAL;
  set_pair(submission, "GET", LENGTH("GET"), target, bytes);
}

#define STARTS(text, bytes, start) starts_with(text, bytes, start, LENGTH(start))

static void route(uint32_t exchange, const proactor_completion *request) {
  (void)exchange;
  /* The head is a list whose first pair is (method, URL). */
  const uint32_t *head = request->payload;
  const char *method = (const char *)(head + 1 + 2 * head[0]);
  const char *url = method + head[1], *end = url + head[2];
  if (!STARTS(method, head[1], "GET") && !STARTS(method, head[1], "HEAD")) {
    ANSWER(request->resource, 405, JSON, "{\"error\":\"method-not-allowed\",\"detail\":\"only GET\"}");
    return;
  }
  /* Behind the scheme, the host. */
  for (uint32_t slashes = 0; url < end && slashes < 3; url++) slashes += *url == '/';
  const char *path = url - 1;
  uint32_t bytes = (uint32_t)(end - path);
  if (bytes == LENGTH("/hello") && STARTS(path, bytes, "/hello"))
    ANSWER(request->resource, 200, TEXT, "hello");
  else if (bytes > LENGTH("/sleep/") && STARTS(path, bytes, "/sleep/"))
    sleep_route(request->resource, path + LENGTH("/sleep/"), bytes - LENGTH("/sleep/"));
  else if (STARTS(path, bytes, "/proxy/"))
    proxy_route(request->resource, path + LENGTH("/proxy"), bytes - LENGTH("/proxy"));
  else
    ANSWER(request->resource, 404, JSON, "{\"error\":\"not-found\",\"detail\":\"there is nothing here\"}");
}

/* What the host calls */

PROACTOR_EXPORT("_initialize") void initialize(void) {
  for (uint32_t slot = 0; slot < OPERATIONS; slot++) operations[slot].next_free = slot + 1;
  int32_t opened = proactor_open("UPSTREAM", LENGTH("UPSTREAM"));
  if (opened > 0) upstream = (uint32_t)opened;
  prepare(PROACTOR_OPCODE_ACCEPT, 0, route, 0)->argument[0] = PROACTOR_EVENT_KIND_FETCH;
  hand_over();
}

static void dispatch(proactor_completion *completion) {
  uint32_t slot = completion->token_slot;
  if (slot >= OPERATIONS || operations[slot].generation != completion->token_generation) return;
  handler handler = operations[slot].handler;
  if (!handler) return;
  /* Free before its handler runs, so that the handler may take it again. */
  if (!(completion->flags & PROACTOR_MORE)) give_back(slot);
  if (completion->flags & PROACTOR_RECLAIM) return;
  completion->flags |= PROACTOR_DISPATCHED;
  handler(operations[slot].exchange, completion);
}

PROACTOR_EXPORT("run") int32_t run(int32_t budget) {
  int32_t capacity = budget < BATCH ? budget : BATCH;
  int32_t count = proactor_poll(completions, (uint32_t)capacity, arena, sizeof arena);
  /* A payload for which there is no room: the second time it fails instead. */
  if (count == PROACTOR_STATUS_TOO_BIG) count = proactor_poll(completions, (uint32_t)capacity, arena, sizeof arena);
  for (int32_t at = 0; at < count; at++) dispatch(&completions[at]);
  hand_over();
  return count;
}
