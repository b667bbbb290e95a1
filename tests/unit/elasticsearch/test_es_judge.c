#include "delivery/verdict.h"
#include "es_fixture.h"
#include "golden.h"
#include <stdlib.h>

typedef struct judged {
    sl_arena arena;
    sl_verdict verdict;
    es_output es;
    es_conf conf;
    sl_counter conflicts;
} judged;

static void judge(judged *j, const char *action, uint32_t records, int status, sl_span body)
{
    *j = (judged){.verdict = {.count = records}};
    j->verdict.arena = &j->arena;
    j->es.conf = &j->conf;
    j->es.conflicts = &j->conflicts;
    j->conf.action = strcmp(action, "create") == 0  ? ES_CREATE
                     : strcmp(action, "index") == 0 ? ES_INDEX
                                                    : ES_UPDATE;
    sl_answer answer = {.status = status, .body = body, .url = SL_SPAN("http://es")};
    sl_request req = {.count = records};
    sl_verdict_of(&answer, &j->verdict);
    es_judge(&j->es, &req, &answer, &j->verdict);
}

static void judged_release(judged *j)
{
    sl_arena_release(&j->arena);
    sl_buf_release(&j->es.text);
    sl_tape_release(&j->es.tape);
}

static void write_verdict(const sl_verdict *verdict, sl_buf *out, sl_span *reason)
{
    static const char *const kinds[] = {"DELIVERED", "RETRY", "SPLIT", "PARTIAL", "REJECT"};
    *reason = sl_span_of(verdict->reason);
    if (verdict->kind != SL_VERDICT_PARTIAL && verdict->kind != SL_VERDICT_DELIVERED) {
        sl_buf_append_cstr(out, kinds[verdict->kind]);
        return;
    }
    bool failed = false;
    for (uint32_t i = 0; i < verdict->count; i++) {
        sl_verdict_kind kind = verdict->kind == SL_VERDICT_DELIVERED ? verdict->kind : verdict->each[i].kind;
        sl_buf_append_char(out, kind == SL_VERDICT_DELIVERED ? 'D' : kind == SL_VERDICT_RETRY ? 'R' : 'X');
        if (kind != SL_VERDICT_DELIVERED && !failed) *reason = verdict->each[i].reason;
        failed = failed || kind != SL_VERDICT_DELIVERED;
    }
}

static bool check_case(const sl_golden_case *c)
{
    /* An empty body is a missing part: the parts behind it have moved up. */
    int shift =
        c->part[3][0] == '{' || c->part[3][0] == '[' || c->part[3][0] == '<' || c->part[3][0] == 'n' ? 0 : 1;
    char none[1] = "", *body = shift ? none : es_unescape(c->part[3]);
    const char *wanted = c->part[4 - shift], *wanted_reason = c->part[5 - shift];
    judged j;
    judge(&j, c->part[0], (uint32_t)atoi(c->part[1]), atoi(c->part[2]), sl_span_of(body));
    sl_buf got = SL_BUF_NONE;
    sl_span reason;
    write_verdict(&j.verdict, &got, &reason);
    bool right = strcmp(sl_buf_cstr(&got), wanted) == 0 &&
                 sl_span_find(reason, sl_span_of(wanted_reason), 0) <= reason.len - strlen(wanted_reason);
    if (!right)
        sl_golden_wrong(c, "%s: is %s (" SL_SPAN_FMT "), wanted %s (%s)", body, sl_buf_cstr(&got),
                        SL_SPAN_ARG(reason), wanted, wanted_reason);
    sl_buf_release(&got);
    judged_release(&j);
    return right;
}

START_TEST(es_judge__golden)
{
    ck_assert_int_ge(sl_golden_each("elasticsearch/answers.txt", 4, check_case), 55);
}
END_TEST

START_TEST(es_judge__a_cut_answer_delivers_nothing)
{
    const char whole[] =
        "{\"errors\":true,\"items\":[{\"create\":{\"status\":201}},{\"create\":{\"status\":201}},"
        "{\"create\":{\"status\":400,\"error\":{\"type\":\"t\",\"reason\":\"r \\\" \"}}}]}";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char *copy = malloc(len + 1); /* its own memory: the sanitizer sees every byte too far */
        memcpy(copy, whole, len);
        judged j;
        judge(&j, "create", 3, 200, (sl_span){copy, len});
        ck_assert_msg(j.verdict.kind == SL_VERDICT_RETRY, "%.*s", (int)len, whole);
        judged_release(&j);
        free(copy);
    }
    judged j;
    judge(&j, "create", 3, 200, sl_span_of(whole));
    ck_assert_int_eq(j.verdict.kind, SL_VERDICT_PARTIAL);
    judged_release(&j);
}
END_TEST

START_TEST(es_judge__the_log_sees_the_type_and_nothing_of_the_record)
{
    judged j;
    judge(&j, "create", 2, 200,
          SL_SPAN("{\"items\":[{\"create\":{\"status\":400,\"error\":{\"type\":\"mapper_parsing_exception\","
                  "\"reason\":\"Preview of field's value: 'geheim'\"}}},{\"create\":{\"status\":201}}]}"));
    ck_assert_str_eq(j.verdict.reason, "1 of 2 items failed, the first with 400 mapper_parsing_exception");
    ck_assert(sl_span_find(j.verdict.each[0].reason, SL_SPAN("geheim"), 0) < j.verdict.each[0].reason.len);
    judged_release(&j);
    judge(&j, "create", 2, 400, SL_SPAN("{\"error\":{\"type\":\"x\\nFORGED line\",\"reason\":\"geheim\"}}"));
    ck_assert_str_eq(j.verdict.reason, "400 x");
    judged_release(&j);
}
END_TEST

static void count_items(void *arg, uint32_t at, uint32_t count, const es_item *item)
{
    (void)item;
    uint64_t *sums = arg;
    ck_assert_uint_eq(at, sums[0]);
    sums[0] += count;
    sums[1]++;
}

START_TEST(es_judge__equal_items_are_read_as_one_run)
{
    sl_buf body = SL_BUF_NONE;
    sl_buf_append_cstr(&body, "{\"errors\":false,\"items\":[");
    for (int i = 0; i < 1000; i++)
        sl_buf_printf(&body, "%s{\"create\":{\"status\":%d}}", i ? "," : "", i == 500 ? 409 : 201);
    sl_buf_append_cstr(&body, "]}");
    uint64_t sums[2] = {0, 0};
    uint32_t items;
    ck_assert_ptr_null(es_bulk_answer_read(sl_buf_span(&body), count_items, sums, &items));
    ck_assert_uint_eq(items, 1000);
    ck_assert_uint_eq(sums[0], 1000);
    ck_assert_uint_le(sums[1], 5);
    sl_buf_release(&body);
}
END_TEST

START_TEST(es_judge__what_was_there_already_is_counted)
{
    static const struct {
        const char *action, *body;
        unsigned conflicts;
    } cases[] = {
        {"create", "{\"items\":[{\"create\":{\"status\":409}},{\"create\":{\"status\":409}}]}", 2},
        {"create", "{\"items\":[{\"create\":{\"status\":409}},{\"create\":{\"status\":201}}]}", 1},
        {"create", "{\"items\":[{\"create\":{\"status\":409}},{\"create\":{\"status\":400}}]}", 1},
        {"update", "{\"items\":[{\"update\":{\"status\":409}},{\"update\":{\"status\":200}}]}", 0},
        {"create", "{\"items\":[{\"create\":{\"status\":409}}]}",
         0}, /* of one record nothing is known: again */
        {"create", "{\"items\":[{\"create\":{\"status\":409}},{\"create\":{\"status\":409}}]", 0},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        judged j;
        judge(&j, cases[i].action, 2, 200, sl_span_of(cases[i].body));
        ck_assert_msg(j.conflicts.value == cases[i].conflicts, "%s: %u", cases[i].body,
                      (unsigned)j.conflicts.value);
        judged_release(&j);
    }
}
END_TEST

SL_TEST_MAIN("es_judge", es_judge__golden, es_judge__a_cut_answer_delivers_nothing,
             es_judge__the_log_sees_the_type_and_nothing_of_the_record,
             es_judge__equal_items_are_read_as_one_run, es_judge__what_was_there_already_is_counted)
