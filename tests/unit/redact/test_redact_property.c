/* Canaries of every kind are planted in random JSON, in random places and spellings, with text around them or
 * not. After redaction none may be left in anything that a reader could decode; the result is valid JSON, and
 * redacting it again changes nothing. */
#include "check_main.h"
#include "json_random.h"
#include "redact_run.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 20000

typedef struct canary {
    const char *key;    /* the member it stands in; NULL: any */
    const char *text;   /* what is planted */
    const char *secret; /* what must be gone */
} canary;

static const canary canaries[] = {
    {NULL, "canary.bird@example.com", "canary.bird"},
    {NULL, "4111111111111111", "4111111111111111"},
    {NULL, "5500 0000 0000 0004", "5500 0000"},
    {NULL, "3782-822463-10005", "822463"},
    {NULL, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5Y2FuYXJ5", "Y2FuYXJ5"},
    {NULL, "Bearer c4n4ryT0ken", "c4n4ryT0ken"},
    {NULL, "Basic Y2FuYXJ5OmNhbmFyeQ==", "Y2FuYXJ5Om"},
    {NULL, "AKIACANARYCANARY1234", "AKIACANARY"},
    {NULL, "aws_secret_access_key=CaNaRyCaNaRyCaNaRyCaNaRyCaNaRyCaNaRy1234", "CaNaRyCaNa"},
    {NULL, "-----BEGIN PRIVATE KEY-----\nc4n4ryc4n4ry\n-----END PRIVATE KEY-----", "c4n4ryc4n4ry"},
    {NULL, "postgres://app:c4n4ryPw@db.example/x", "c4n4ryPw"},
    {NULL, "password=c4n4ryPw", "c4n4ryPw"},
    {NULL, "token: \"c4n4ry token\"", "c4n4ry token"},
    {NULL, "Cookie: sid=c4n4rySid; x=y", "c4n4rySid"},
    {NULL, "GB29 NWBK 6016 1331 9268 19", "NWBK 6016"},
    {NULL, "203.0.113.77", "203.0.113.77"},
    {NULL, "2001:db8:85a3::8a2e:370:7334", "8a2e:370"},
    {NULL, "+4930901820123", "4930901820123"},
    {NULL, "(415) 555-2671", "555-2671"},
    {NULL, "123-45-6789", "45-6789"},
    {NULL, "CASE-778899", "CASE-778899"},
    {"password", "c4n4ry in a value", "c4n4ry in"},
    {"X-Api-Key", "c4n4ryKey", "c4n4ryKey"},
    {"sessionToken", "c4n4ry\n\"q\" \\", "c4n4ry"},
    {"db-secret", "c4n4ryDb", "c4n4ryDb"},
};

static const char options[] = "{keys: [default, session_token], detect: all, patterns: [{name: case, regex: "
                              "'CASE-\\d+'}]}";

typedef struct garden {
    sl_random random;
    sl_buf json;
} garden;

static bool one_in(garden *g, uint32_t n)
{
    return sl_random_below(&g->random, n) == 0;
}

/* Words that no detector and no name wants, so that what is around a canary stays. */
static void write_words(garden *g, sl_buf *out)
{
    static const char *const words[] = {"done", "über", "in 5 steps", "<a>", "\"so\"",
                                        "\\",   "\t",   "ok,",        "(x)", "\xf0\x9f\x98\x80"};

    for (uint32_t n = sl_random_below(&g->random, 4); n > 0; n--) {
        sl_buf_append_cstr(out, words[sl_random_below(&g->random, SL_LEN(words))]);
        sl_buf_append_char(out, ' ');
    }
}

/* A string that holds the canary, as JSON; perhaps as JSON inside it, some levels down. */
static void write_holder(garden *g, const canary *c, unsigned levels, sl_buf *out)
{
    sl_buf plain = SL_BUF_NONE;

    if (levels > 0) {
        bool alone = one_in(g, 2);
        if (!alone) sl_buf_append_cstr(&plain, "body ");
        sl_buf_append_cstr(&plain, one_in(g, 2) ? "{\"in\": " : "[1, ");
        char close = plain.ptr[plain.len - 2] == ':' ? '}' : ']';
        write_holder(g, c, levels - 1, &plain);
        sl_buf_append_char(&plain, close);
        if (!alone) sl_buf_append_cstr(&plain, " sent");
    } else {
        write_words(g, &plain);
        sl_buf_append_cstr(&plain, c->text);
        if (one_in(g, 2)) {
            sl_buf_append_char(&plain, '\n');
            write_words(g, &plain);
        }
    }
    sl_json_random_spelling(&g->random, sl_buf_span(&plain), out);
    sl_buf_release(&plain);
}

/* The member or element with the canary. */
static void plant(garden *g, const canary *c, bool member)
{
    sl_buf *out = &g->json;

    if (c->key) {
        if (!member) sl_buf_append_char(out, '{');
        sl_json_random_spelling(&g->random, sl_span_of(c->key), out);
        sl_buf_append_char(out, ':');
        bool wrapped = one_in(g, 3);
        if (wrapped) sl_buf_append_cstr(out, "[{\"v\":");
        sl_json_random_spelling(&g->random, sl_span_of(c->text), out);
        if (wrapped) sl_buf_append_cstr(out, "},2]");
        if (!member) sl_buf_append_char(out, '}');
        return;
    }
    bool as_key = member && one_in(g, 6);
    if (member && !as_key) sl_buf_append_cstr(out, one_in(g, 2) ? "\"message\" : " : "\"m\":");
    write_holder(g, c, as_key ? 0 : sl_random_below(&g->random, 8) / 2, out);
    if (as_key) sl_buf_append_cstr(out, ":1");
}

/* Random JSON with the canary somewhere in it. */
static void grow(garden *g, const canary *c, unsigned depth, bool member)
{
    if (depth == 0) {
        plant(g, c, member);
        return;
    }
    bool object = one_in(g, 2);
    if (member) sl_buf_append_cstr(&g->json, "\"d\":");
    sl_buf_append_char(&g->json, object ? '{' : '[');
    for (uint32_t before = sl_random_below(&g->random, 3); before > 0; before--) {
        if (object) sl_buf_append_cstr(&g->json, "\"n\" : ");
        sl_json_random(&g->random, 2, &g->json);
        sl_buf_append_char(&g->json, ',');
    }
    grow(g, c, depth - 1, object);
    if (one_in(g, 2)) sl_buf_append_cstr(&g->json, object ? ", \"z\":[ ]" : ",null");
    sl_buf_append_char(&g->json, object ? '}' : ']');
}

/* Whether the text holds the secret, as it is or in any string that can be decoded out of it. */
static bool shows(sl_span text, sl_span secret, unsigned levels)
{
    sl_tape tape = {0};
    bool found = sl_span_find(text, secret, 0) < text.len;

    for (size_t at = 0; at < text.len && !found && levels > 0; at++) { /* JSON may begin anywhere */
        if (at > 0 && text.ptr[at] != '{' && text.ptr[at] != '[') continue;
        tape.len = 0;
        sl_json_result result = sl_json_index(&tape, (sl_span){text.ptr + at, text.len - at});
        if (result.error == SL_JSON_TRAILING)
            result = sl_json_index(&tape, (sl_span){text.ptr + at, result.at});
        for (uint32_t i = 0; result.error == SL_JSON_OK && i < tape.len && !found; i++) {
            if (!(tape.tok[i].flags & SL_TOKEN_ESCAPED)) continue;
            char *plain = malloc(tape.tok[i].len);
            size_t len = sl_json_unescape((sl_span){text.ptr + at + tape.tok[i].off, tape.tok[i].len}, plain);
            found = shows((sl_span){plain, len}, secret, levels - 1);
            free(plain);
        }
        if (result.error == SL_JSON_OK) at += tape.tok[0].off + tape.tok[0].len;
    }
    sl_tape_release(&tape);
    return found;
}

static void check_round(redact_run *run, garden *g, const canary *c)
{
    bool changed;
    sl_buf out = SL_BUF_NONE, normal = SL_BUF_NONE;

    sl_buf_clear(&g->json);
    grow(g, c, 1 + sl_random_below(&g->random, 4), false);
    ck_assert_msg(shows(sl_buf_span(&g->json), sl_span_of(c->secret), 6), "not planted: %s",
                  sl_buf_cstr(&g->json));
    sl_buf_append_span(&out, redact_run_text(run, sl_buf_span(&g->json), &changed));
    ck_assert_msg(changed && sl_test_json_normal(sl_buf_span(&out), &normal), "%s\n%s", sl_buf_cstr(&g->json),
                  sl_buf_cstr(&out));
    ck_assert_msg(!shows(sl_buf_span(&out), sl_span_of(c->secret), 6), "`%s` is left:\n%s\n%s", c->secret,
                  sl_buf_cstr(&g->json), sl_buf_cstr(&out));
    sl_span again = redact_run_text(run, sl_buf_span(&out), &changed);
    ck_assert_msg(!changed, "not idempotent:\n%s\n%s\n" SL_SPAN_FMT, sl_buf_cstr(&g->json), sl_buf_cstr(&out),
                  SL_SPAN_ARG(again));
    sl_buf_release(&out);
    sl_buf_release(&normal);
}

START_TEST(redact__lets_no_canary_out)
{
    const char *error;
    redact_run *run = redact_run_new(options, &error);
    ck_assert_msg(run != NULL, "%s", error);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        garden g = {{seed * UINT64_C(0x9e3779b97f4a7c15)}, SL_BUF_NONE};
        check_round(run, &g, &canaries[seed % SL_LEN(canaries)]);
        sl_buf_release(&g.json);
    }
    redact_run_free(run);
}
END_TEST

/* Whatever the input and the actions: valid JSON, and the second time changes nothing. */
START_TEST(redact__is_valid_and_idempotent_on_any_json)
{
    static const char *const actions[] = {
        "{detect: all}",
        "{detect: all, action: mask, mask: 6}",
        "{detect: all, action: remove, keys: [default, key, a, x-api-key]}",
        "{detect: all, action: hash, hash: {key: \"0123456789abcdef\"}, keys: [default, key]}",
        "{detect: all, with: \"a@b.cc password=x\"}",
    };
    static const char *const parts[] = {"bob@example.com",
                                        "password=",
                                        "\"",
                                        "\\\"",
                                        "{\"token\":\"x\"}",
                                        "Bearer ",
                                        "abc123",
                                        "4111 1111 1111 1111",
                                        " ",
                                        "://u:p@",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        ":",
                                        "=",
                                        ",",
                                        "secret",
                                        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
                                        "[REDACTED]",
                                        "[hmac:",
                                        "0123456789abcdef]",
                                        "-----BEGIN PRIVATE KEY-----",
                                        "10.0.0.1",
                                        "+49301234567",
                                        "cookie: ",
                                        "\n",
                                        "1",
                                        "@",
                                        "::1",
                                        "&",
                                        "'"};

    for (size_t a = 0; a < SL_LEN(actions); a++) {
        const char *error;
        redact_run *run = redact_run_new(actions[a], &error);
        ck_assert_msg(run != NULL, "%s", error);
        for (uint64_t seed = 1; seed <= 6000; seed++) {
            sl_random random = {seed * UINT64_C(0x9e3779b97f4a7c15)};
            sl_buf json = SL_BUF_NONE, plain = SL_BUF_NONE, out = SL_BUF_NONE, normal = SL_BUF_NONE;
            bool changed;
            sl_buf_append_cstr(&json, "{\"r\":");
            sl_json_random(&random, 3, &json);
            for (int i = 0; i < 3; i++) {
                sl_buf_clear(&plain);
                for (uint32_t n = sl_random_below(&random, 9); n > 0; n--)
                    sl_buf_append_cstr(&plain, parts[sl_random_below(&random, SL_LEN(parts))]);
                sl_buf_append_cstr(&json, i == 2 ? ", " : ",\"t\":");
                sl_json_random_spelling(&random, sl_buf_span(&plain), &json);
                if (i == 2) sl_buf_append_cstr(&json, ":1}");
            }
            sl_buf_append_span(&out, redact_run_text(run, sl_buf_span(&json), &changed));
            ck_assert_msg(sl_test_json_normal(sl_buf_span(&out), &normal), "%s:\n%s\n%s", actions[a],
                          sl_buf_cstr(&json), sl_buf_cstr(&out));
            sl_span again = redact_run_text(run, sl_buf_span(&out), &changed);
            ck_assert_msg(sl_span_is(again, sl_buf_span(&out)), "%s: not idempotent:\n%s\n%s\n" SL_SPAN_FMT,
                          actions[a], sl_buf_cstr(&json), sl_buf_cstr(&out), SL_SPAN_ARG(again));
            sl_buf_release(&json);
            sl_buf_release(&plain);
            sl_buf_release(&out);
            sl_buf_release(&normal);
        }
        redact_run_free(run);
    }
}
END_TEST

SL_TEST_MAIN("redact_property", redact__lets_no_canary_out, redact__is_valid_and_idempotent_on_any_json)
