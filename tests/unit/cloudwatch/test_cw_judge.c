#include "cw_fixture.h"
#include "delivery/verdict.h"
#include "golden.h"
#include <stdlib.h>

typedef struct judged {
    sl_arena arena;
    sl_verdict verdict;
} judged;

static cw_fixture f;

static void judge(judged *j, uint32_t records, const sl_answer *answer)
{
    *j = (judged){.verdict = {.count = records}};
    j->verdict.arena = &j->arena;
    sl_request req = {.count = records, .partition = SL_SPAN("g\0s")};
    sl_verdict_of(answer, &j->verdict);
    cw_judge(&f.cw, &req, answer, &j->verdict);
}

static void write_verdict(const sl_verdict *verdict, sl_buf *out, sl_span *reason)
{
    static const char *const kinds[] = {"DELIVERED", "RETRY", "SPLIT", "PARTIAL", "REJECT"};
    static const char *const causes[] = {"unknown", "pressure", "caller", "partition"};
    *reason = sl_span_of(verdict->reason);
    if (verdict->kind == SL_VERDICT_RETRY) {
        sl_buf_printf(out, "RETRY:%s", causes[verdict->cause]);
        return;
    }
    if (verdict->kind != SL_VERDICT_PARTIAL && verdict->kind != SL_VERDICT_DELIVERED) {
        sl_buf_append_cstr(out, kinds[verdict->kind]);
        return;
    }
    bool failed = false;
    for (uint32_t i = 0; i < verdict->count; i++) {
        sl_verdict_kind kind = verdict->kind == SL_VERDICT_DELIVERED ? verdict->kind : verdict->each[i].kind;
        sl_buf_append_char(out, kind == SL_VERDICT_DELIVERED ? 'D' : 'X');
        if (kind != SL_VERDICT_DELIVERED && !failed) *reason = verdict->each[i].reason;
        failed = failed || kind != SL_VERDICT_DELIVERED;
    }
}

static bool check_case(const sl_golden_case *c)
{
    judged j;
    sl_answer answer = {
        .status = atoi(c->part[1]), .body = sl_span_of(c->part[2]), .url = SL_SPAN("http://logs")};
    judge(&j, (uint32_t)atoi(c->part[0]), &answer);
    sl_buf said = SL_BUF_NONE;
    sl_span reason;
    write_verdict(&j.verdict, &said, &reason);
    bool right = strcmp(sl_buf_cstr(&said), c->part[3]) == 0 &&
                 sl_span_find(reason, sl_span_of(c->part[4]), 0) < reason.len + !c->part[4][0];
    if (!right) sl_golden_wrong(c, "%s: " SL_SPAN_FMT, sl_buf_cstr(&said), SL_SPAN_ARG(reason));
    sl_buf_release(&said);
    sl_arena_release(&j.arena);
    return right;
}

static void begin(const char *more)
{
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{region: eu-west-1, group: g, stream: s%s}", more);
    ck_assert_msg(cw_fixture_read(&f, yaml), "%s", f.said);
    *cw_created() = NULL;
    *cw_expirations() = 0;
}

START_TEST(judge__answers_in_files)
{
    begin("");
    ck_assert_int_ge(sl_golden_each("cloudwatch/answers.txt", 4, check_case), 50);
    cw_fixture_end(&f);
}
END_TEST

static sl_verdict_kind judge_error(const char *body, sl_retry_cause *cause)
{
    judged j;
    sl_answer answer = {.status = 400, .body = sl_span_of(body), .url = SL_SPAN("http://logs")};
    judge(&j, 2, &answer);
    *cause = j.verdict.cause;
    sl_arena_release(&j.arena);
    return j.verdict.kind;
}

#define NO_STREAM                                                                                            \
    "{\"__type\":\"ResourceNotFoundException\",\"message\":\"The specified log stream does not exist.\"}"
#define NO_GROUP                                                                                             \
    "{\"__type\":\"ResourceNotFoundException\",\"message\":\"The specified log group does not exist.\"}"

START_TEST(judge__what_is_missing_is_created_where_that_is_allowed)
{
    const struct {
        const char *conf, *body, *created;
        sl_verdict_kind kind;
    } cases[] = {
        {"", NO_STREAM, "stream", SL_VERDICT_RETRY},
        {"", NO_GROUP, NULL, SL_VERDICT_RETRY},
        {", create: {group: true}", NO_GROUP, "group", SL_VERDICT_RETRY},
        {", create: {group: true, stream: false}", NO_GROUP, "group", SL_VERDICT_RETRY},
        {", create: {group: true, stream: false}", NO_STREAM, NULL, SL_VERDICT_RETRY},
        {", create: {stream: false}, missing: reject", NO_STREAM, NULL, SL_VERDICT_REJECT},
        {", missing: reject", NO_GROUP, NULL, SL_VERDICT_REJECT},
        {", missing: reject", NO_STREAM, "stream", SL_VERDICT_RETRY},
    };
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        begin(cases[i].conf);
        sl_retry_cause cause;
        ck_assert_int_eq(judge_error(cases[i].body, &cause), cases[i].kind);
        ck_assert_int_eq(cause, SL_CAUSE_PARTITION);
        const char *created = *cw_created();
        ck_assert_msg(created == cases[i].created ||
                          (created && cases[i].created && !strcmp(created, cases[i].created)),
                      "case %zu", i);
        cw_fixture_end(&f);
    }
}
END_TEST

START_TEST(judge__credentials_that_ended_are_asked_for_again)
{
    begin("");
    sl_retry_cause cause;
    judge_error("{\"__type\":\"ExpiredTokenException\"}", &cause);
    ck_assert_uint_eq(*cw_expirations(), 1);
    judge_error("{\"__type\":\"UnrecognizedClientException\"}", &cause);
    ck_assert_uint_eq(*cw_expirations(), 2);
    judge_error("{\"__type\":\"ThrottlingException\"}", &cause);
    ck_assert_uint_eq(*cw_expirations(), 2);
    cw_fixture_end(&f);
}
END_TEST

START_TEST(judge__a_clock_that_is_wrong_is_corrected_by_the_services)
{
    sl_clock_fake(SL_TEST_TIME_NS);
    const struct {
        int64_t off_s;
        bool corrected;
    } cases[] = {{0, false}, {59, false}, {-59, false}, {61, true}, {-61, true}, {86400, true}};
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        begin("");
        int64_t theirs = SL_TEST_TIME_NS + cases[i].off_s * SL_NS_PER_S;
        sl_answer answer = {.status = 400,
                            .body = SL_SPAN("{\"__type\":\"InvalidSignatureException\"}"),
                            .date_ns = theirs,
                            .url = SL_SPAN("http://logs")};
        judged j;
        judge(&j, 1, &answer);
        ck_assert_int_eq(j.verdict.cause, SL_CAUSE_CALLER);
        ck_assert_int_eq(cw_now_ns(&f.cw), cases[i].corrected ? theirs : SL_TEST_TIME_NS);
        ck_assert_uint_eq(*cw_expirations(), !cases[i].corrected);
        judge(&j, 1, &answer); /* again, though the clock is right now: the key is not */
        ck_assert_uint_eq(*cw_expirations(), cases[i].corrected ? 1 : 2);
        sl_arena_release(&j.arena);
        cw_fixture_end(&f);
    }
    sl_clock_fake(-1);
}
END_TEST

START_TEST(judge__no_answer_stays_what_the_transport_says)
{
    begin("");
    sl_answer answer = {.transport = SL_TRANSPORT_TIMEOUT, .error = "x", .url = SL_SPAN("http://logs")};
    judged j;
    judge(&j, 1, &answer);
    ck_assert_int_eq(j.verdict.kind, SL_VERDICT_RETRY);
    ck_assert_int_eq(j.verdict.cause, SL_CAUSE_UNKNOWN);
    cw_fixture_end(&f);
}
END_TEST

SL_TEST_MAIN("cw_judge", judge__answers_in_files, judge__what_is_missing_is_created_where_that_is_allowed,
             judge__credentials_that_ended_are_asked_for_again,
             judge__a_clock_that_is_wrong_is_corrected_by_the_services,
             judge__no_answer_stays_what_the_transport_says)
