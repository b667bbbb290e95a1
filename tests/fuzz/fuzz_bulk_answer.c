/* <number of records> <body>: whatever a server answers, the judge reads nothing outside it, and says of each
 * record one thing. What a whole JSON parser calls valid is read with as many items as it has. */
#include "../../plugins/outputs/elasticsearch/es_int.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct sums {
    uint32_t items;
} sums;

static void on_items(void *arg, uint32_t at, uint32_t count, const es_item *item)
{
    sums *s = arg;
    if (at != s->items || count == 0 || item->status < 0 || item->status > 9999) abort();
    s->items += count;
}

/* Elements of every top-level `items`, as the whole parser sees them. */
static uint32_t count_items(sl_span body, const sl_token *tok)
{
    uint32_t items = 0;
    for (uint32_t k = 1; k < tok[0].next; k = tok[k + 1].next) {
        bool is = sl_span_is((sl_span){body.ptr + tok[k].off, tok[k].len}, SL_SPAN("items"));
        for (uint32_t e = k + 2; is && e < tok[k + 1].next; e = tok[e].next)
            items++;
    }
    return items;
}

static void compare(sl_span body)
{
    sums s = {0};
    uint32_t items;
    if (es_bulk_answer_read(body, on_items, &s, &items)) return;
    if (items != s.items) abort();
    sl_tape tape = {0};
    if (sl_json_index(&tape, body).error == SL_JSON_OK && count_items(body, tape.tok) != items) abort();
    sl_tape_release(&tape);
}

static void judge(uint32_t records, int status, sl_verdict_kind kind, sl_span body)
{
    sl_arena arena = SL_ARENA_NONE;
    es_conf conf = {.action = ES_CREATE};
    sl_counter conflicts = {0};
    es_output es = {.conf = &conf, .conflicts = &conflicts};
    sl_verdict verdict = {.kind = kind, .count = records, .arena = &arena};
    sl_answer answer = {.status = status, .body = body, .url = SL_SPAN("http://es")};
    sl_request req = {.count = records};
    es_judge(&es, &req, &answer, &verdict);
    if (verdict.kind == SL_VERDICT_PARTIAL && !verdict.each) abort();
    if (memchr(verdict.reason, '\n', strlen(verdict.reason))) abort();
    sl_buf_release(&es.text);
    sl_tape_release(&es.tape);
    sl_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    char *copy = malloc(size); /* its own memory, so that the sanitizer sees a byte too far */
    memcpy(copy, data + 1, size - 1);
    sl_span body = {copy, size - 1};
    compare(body);
    judge(1 + data[0] % 8, 200, SL_VERDICT_DELIVERED, body);
    judge(1 + data[0] % 2, 400, SL_VERDICT_REJECT, body);
    es_server server;
    es_server_read(body, &server);
    free(copy);
    return 0;
}
