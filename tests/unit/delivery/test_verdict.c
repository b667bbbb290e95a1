#include "check_main.h"
#include "delivery/verdict.h"

#define OK SL_TRANSPORT_OK

static const struct {
    sl_transport_error transport;
    int status;
    sl_verdict_kind kind;
    bool pressure;
    const char *reason; /* a part of it */
} cases[] = {
    {SL_TRANSPORT_RESOLVE, 0, SL_VERDICT_RETRY, true, "cannot resolve the name of http://es"},
    {SL_TRANSPORT_CONNECT, 0, SL_VERDICT_RETRY, true, "cannot connect to http://es: because"},
    {SL_TRANSPORT_TLS, 0, SL_VERDICT_RETRY, true, "no TLS with"},
    {SL_TRANSPORT_TIMEOUT, 0, SL_VERDICT_RETRY, true, "no answer in time"},
    {SL_TRANSPORT_BROKEN, 0, SL_VERDICT_RETRY, true, "broken connection"},
    {OK, 200, SL_VERDICT_DELIVERED, false, ""},
    {OK, 201, SL_VERDICT_DELIVERED, false, ""},
    {OK, 202, SL_VERDICT_DELIVERED, false, ""},
    {OK, 204, SL_VERDICT_DELIVERED, false, ""},
    {OK, 299, SL_VERDICT_DELIVERED, false, ""},
    {OK, 300, SL_VERDICT_RETRY, false, "redirect"},
    {OK, 301, SL_VERDICT_RETRY, false, "redirect"},
    {OK, 302, SL_VERDICT_RETRY, false, "redirect"},
    {OK, 307, SL_VERDICT_RETRY, false, "put its target into `url`"},
    {OK, 308, SL_VERDICT_RETRY, false, "redirect"},
    {OK, 400, SL_VERDICT_REJECT, false, "status 400 from http://es"},
    {OK, 401, SL_VERDICT_RETRY, false, "check `auth`"},
    {OK, 402, SL_VERDICT_RETRY, false, "status 402"},
    {OK, 403, SL_VERDICT_RETRY, false, "may not do this"},
    {OK, 404, SL_VERDICT_RETRY, false, "check the path"},
    {OK, 405, SL_VERDICT_RETRY, false, "check the path"},
    {OK, 406, SL_VERDICT_RETRY, false, "status 406"},
    {OK, 407, SL_VERDICT_RETRY, false, "check `proxy`"},
    {OK, 408, SL_VERDICT_RETRY, true, "status 408"},
    {OK, 409, SL_VERDICT_REJECT, false, "status 409"},
    {OK, 410, SL_VERDICT_RETRY, false, "status 410"},
    {OK, 411, SL_VERDICT_RETRY, false, "status 411"},
    {OK, 413, SL_VERDICT_SPLIT, false, "status 413"},
    {OK, 414, SL_VERDICT_RETRY, false, "status 414"},
    {OK, 415, SL_VERDICT_RETRY, false, "status 415"},
    {OK, 421, SL_VERDICT_RETRY, false, "status 421"},
    {OK, 422, SL_VERDICT_REJECT, false, "status 422"},
    {OK, 425, SL_VERDICT_RETRY, false, "status 425"},
    {OK, 426, SL_VERDICT_RETRY, false, "status 426"},
    {OK, 429, SL_VERDICT_RETRY, true, "status 429"},
    {OK, 431, SL_VERDICT_RETRY, false, "status 431"},
    {OK, 499, SL_VERDICT_RETRY, false, "status 499"},
    {OK, 500, SL_VERDICT_RETRY, true, "status 500"},
    {OK, 501, SL_VERDICT_RETRY, true, "status 501"},
    {OK, 502, SL_VERDICT_RETRY, true, "status 502"},
    {OK, 503, SL_VERDICT_RETRY, true, "status 503"},
    {OK, 504, SL_VERDICT_RETRY, true, "status 504"},
    {OK, 507, SL_VERDICT_RETRY, true, "status 507"},
    {OK, 599, SL_VERDICT_RETRY, true, "status 599"},
    {OK, 100, SL_VERDICT_RETRY, false, "status 100"}, /* an answer that is none */
    {OK, 0, SL_VERDICT_RETRY, false, "status 0"},
};

START_TEST(verdict__table)
{
    for (size_t i = 0; i < SL_LEN(cases); i++) {
        sl_answer answer = {.transport = cases[i].transport,
                            .status = cases[i].status,
                            .url = SL_SPAN("http://es"),
                            .body = SL_SPAN("geheim"),
                            .error = cases[i].transport == OK ? NULL : "because",
                            .retry_after_ns = 7};
        sl_verdict verdict = {0};
        sl_verdict_of(&answer, &verdict);
        ck_assert_msg(verdict.kind == cases[i].kind, "%d/%d: %d", answer.transport, answer.status,
                      verdict.kind);
        ck_assert_msg(strstr(verdict.reason, cases[i].reason) != NULL, "%d/%d: %s", answer.transport,
                      answer.status, verdict.reason);
        ck_assert_msg(!strstr(verdict.reason, "geheim"), "%s", verdict.reason);
        ck_assert_msg((verdict.kind == SL_VERDICT_DELIVERED) == (verdict.reason[0] == '\0'), "%d: %s",
                      answer.status, verdict.reason);
        ck_assert_int_eq(verdict.retry_after_ns, 7);
        ck_assert_msg(sl_answer_is_pressure(&answer) == cases[i].pressure, "%d/%d", answer.transport,
                      answer.status);
    }
}
END_TEST

START_TEST(verdict__a_record_verdict_makes_it_partial_and_keeps_the_reason)
{
    sl_arena arena = SL_ARENA_NONE;
    sl_verdict verdict = {.count = 4, .arena = &arena};
    char reason[SL_REASON_MAX + 100];
    memset(reason, 'r', sizeof reason);
    sl_verdict_set_record(&verdict, 1, SL_VERDICT_REJECT, (sl_span){reason, sizeof reason});
    sl_verdict_set_record(&verdict, 2, SL_VERDICT_REJECT, (sl_span){reason, sizeof reason});
    sl_verdict_set_record(&verdict, 3, SL_VERDICT_RETRY, SL_SPAN("busy"));
    memset(reason, 'x', sizeof reason);
    ck_assert_int_eq(verdict.kind, SL_VERDICT_PARTIAL);
    ck_assert_int_eq(verdict.each[0].kind, SL_VERDICT_DELIVERED);
    ck_assert_int_eq(verdict.each[1].kind, SL_VERDICT_REJECT);
    ck_assert_uint_eq(verdict.each[1].reason.len, SL_REASON_MAX);
    ck_assert_int_eq(verdict.each[1].reason.ptr[0], 'r');
    ck_assert(sl_span_is(verdict.each[3].reason, SL_SPAN("busy")));
    ck_assert_int_eq(verdict.each[3].kind, SL_VERDICT_RETRY);
    sl_arena_release(&arena);
}
END_TEST

SL_TEST_MAIN("verdict", verdict__table, verdict__a_record_verdict_makes_it_partial_and_keeps_the_reason)
