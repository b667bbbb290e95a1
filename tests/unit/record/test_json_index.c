#include "check_main.h"
#include "json_random.h"

#include <stdio.h>
#include <stdlib.h>
#ifdef HAVE_JANSSON
#include <jansson.h>
#endif

static const char *const scanners[] = {"portable", "avx2", "avx512", "neon"};

/* ---- what is valid and what is not (RFC 8259) -------------------------------------------------- */

typedef struct verdict {
    const char *text;
    sl_json_error error;
    uint32_t at;
} verdict;

static const verdict zoo[] = {
    /* values */
    {"0", SL_JSON_OK, 0},
    {"-0", SL_JSON_OK, 0},
    {"1234567890", SL_JSON_OK, 0},
    {"-1.5e+10", SL_JSON_OK, 0},
    {"1E400", SL_JSON_OK, 0},
    {"0.0e-0", SL_JSON_OK, 0},
    {"true", SL_JSON_OK, 0},
    {" false\n", SL_JSON_OK, 0},
    {"\t\r\n null ", SL_JSON_OK, 0},
    {"\"\"", SL_JSON_OK, 0},
    {"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", SL_JSON_OK, 0},
    {"\"\\\\\"", SL_JSON_OK, 0},
    {"\"\x7f\"", SL_JSON_OK, 0},
    {"\"\\ud83d\\uDE00\"", SL_JSON_OK, 0},
    {"\"\\ud800\"", SL_JSON_OK, 0},
    {"\"\xff\"", SL_JSON_OK, 0}, /* UTF-8 is not judged here */
    {"[]", SL_JSON_OK, 0},
    {"[ ]", SL_JSON_OK, 0},
    {"{}", SL_JSON_OK, 0},
    {"{ \n }", SL_JSON_OK, 0},
    {"[1,[2,{\"a\":[]}],{}]", SL_JSON_OK, 0},
    {"{\"a\":1,\"a\":2}", SL_JSON_OK, 0},
    {"{\"\":null}", SL_JSON_OK, 0},
    {"{\"a\" : \"{\\\"b\\\":[1]}\" }", SL_JSON_OK, 0},
    /* nothing */
    {"", SL_JSON_EMPTY, 0},
    {" \n\t\r", SL_JSON_EMPTY, 4},
    /* bytes that start nothing */
    {"hello", SL_JSON_NOT_JSON, 0},
    {"'a'", SL_JSON_NOT_JSON, 0},
    {"+1", SL_JSON_NOT_JSON, 0},
    {".5", SL_JSON_NOT_JSON, 0},
    {"Infinity", SL_JSON_NOT_JSON, 0},
    {"NaN", SL_JSON_NOT_JSON, 0},
    {"\xef\xbb\xbf{}", SL_JSON_NOT_JSON, 0},
    {"\f1", SL_JSON_NOT_JSON, 0},
    {"[\x1a]", SL_JSON_NOT_JSON, 1},
    {"\\\"", SL_JSON_NOT_JSON, 0},
    {"[1,\xc2\xa0]", SL_JSON_NOT_JSON, 3},
    {"/* */ 1", SL_JSON_NOT_JSON, 0},
    /* literals */
    {"tru", SL_JSON_UNTERMINATED, 3},
    {"t", SL_JSON_UNTERMINATED, 1},
    {"truex", SL_JSON_BAD_LITERAL, 0},
    {"[True]", SL_JSON_NOT_JSON, 1},
    {"[tRue]", SL_JSON_BAD_LITERAL, 1},
    {"[nul]", SL_JSON_BAD_LITERAL, 1},
    {"false\\", SL_JSON_BAD_LITERAL, 0},
    {"nulls", SL_JSON_BAD_LITERAL, 0},
    /* numbers */
    {"01", SL_JSON_BAD_NUMBER, 1},
    {"-01", SL_JSON_BAD_NUMBER, 2},
    {"[-]", SL_JSON_BAD_NUMBER, 2},
    {"-", SL_JSON_UNTERMINATED, 1},
    {"1.", SL_JSON_UNTERMINATED, 2},
    {"[1.]", SL_JSON_BAD_NUMBER, 3},
    {"[1.e5]", SL_JSON_BAD_NUMBER, 3},
    {"[1e]", SL_JSON_BAD_NUMBER, 3},
    {"[1e+]", SL_JSON_BAD_NUMBER, 4},
    {"[1E-x]", SL_JSON_BAD_NUMBER, 4},
    {"0x10", SL_JSON_BAD_NUMBER, 1},
    {"1_000", SL_JSON_BAD_NUMBER, 1},
    {"[1a]", SL_JSON_BAD_NUMBER, 2},
    {"[--1]", SL_JSON_BAD_NUMBER, 2},
    {"[-+1]", SL_JSON_BAD_NUMBER, 2},
    {"1\f", SL_JSON_BAD_NUMBER, 1},
    {"[1.2.3]", SL_JSON_BAD_NUMBER, 4},
    {"[-Infinity]", SL_JSON_BAD_NUMBER, 2},
    {"[1\xc2\xa0]", SL_JSON_BAD_NUMBER, 2},
    /* strings */
    {"\"", SL_JSON_UNTERMINATED, 1},
    {"\"abc", SL_JSON_UNTERMINATED, 4},
    {"\"abc\\\"", SL_JSON_UNTERMINATED, 6},
    {"\"abc\\", SL_JSON_UNTERMINATED, 5},
    {"\"\\x41\"", SL_JSON_BAD_ESCAPE, 1},
    {"\"ab\\'\"", SL_JSON_BAD_ESCAPE, 3},
    {"\"\\u\"", SL_JSON_BAD_ESCAPE, 1},
    {"\"\\u12\"", SL_JSON_BAD_ESCAPE, 1},
    {"\"\\u123g\"", SL_JSON_BAD_ESCAPE, 1},
    {"\"\\U0041\"", SL_JSON_BAD_ESCAPE, 1},
    {"\"\\ud800\\u12\"", SL_JSON_BAD_ESCAPE, 7},
    {"\"\\\xc3\xa9\"", SL_JSON_BAD_ESCAPE, 1},
    {"\"a\nb\"", SL_JSON_CONTROL_CHARACTER, 2},
    {"\"\t\"", SL_JSON_CONTROL_CHARACTER, 1},
    {"\"\x1f\"", SL_JSON_CONTROL_CHARACTER, 1},
    {"\"a\\\n\"", SL_JSON_BAD_ESCAPE, 2},
    {"[\"a\n", SL_JSON_CONTROL_CHARACTER, 3},
    {"{\"a\x01\":1}", SL_JSON_CONTROL_CHARACTER, 3},
    {"[1 x \"\n\"]", SL_JSON_BAD_STRUCTURE, 3},
    {"['\n']", SL_JSON_NOT_JSON, 1},
    /* structure */
    {"[", SL_JSON_UNTERMINATED, 1},
    {"[1", SL_JSON_UNTERMINATED, 2},
    {"[1,", SL_JSON_UNTERMINATED, 3},
    {"{", SL_JSON_UNTERMINATED, 1},
    {"{\"a\"", SL_JSON_UNTERMINATED, 4},
    {"{\"a\":", SL_JSON_UNTERMINATED, 5},
    {"{\"a\":1", SL_JSON_UNTERMINATED, 6},
    {"{\"a\":1,", SL_JSON_UNTERMINATED, 7},
    {"]", SL_JSON_BAD_STRUCTURE, 0},
    {"}", SL_JSON_BAD_STRUCTURE, 0},
    {",", SL_JSON_BAD_STRUCTURE, 0},
    {":", SL_JSON_BAD_STRUCTURE, 0},
    {"[}", SL_JSON_BAD_STRUCTURE, 1},
    {"{]", SL_JSON_BAD_STRUCTURE, 1},
    {"[1}", SL_JSON_BAD_STRUCTURE, 2},
    {"{\"a\":1]", SL_JSON_BAD_STRUCTURE, 6},
    {"[1,]", SL_JSON_BAD_STRUCTURE, 3},
    {"[,1]", SL_JSON_BAD_STRUCTURE, 1},
    {"[1,,2]", SL_JSON_BAD_STRUCTURE, 3},
    {"[1 2]", SL_JSON_BAD_STRUCTURE, 3},
    {"[1:2]", SL_JSON_BAD_STRUCTURE, 2},
    {"[\"a\" \"b\"]", SL_JSON_BAD_STRUCTURE, 5},
    {"[\"a\"b]", SL_JSON_BAD_STRUCTURE, 4},
    {"[1\"a\"]", SL_JSON_BAD_STRUCTURE, 2},
    {"{\"a\":1,}", SL_JSON_BAD_STRUCTURE, 7},
    {"{,}", SL_JSON_BAD_STRUCTURE, 1},
    {"{a:1}", SL_JSON_BAD_STRUCTURE, 1},
    {"{1:1}", SL_JSON_BAD_STRUCTURE, 1},
    {"{\"a\" 1}", SL_JSON_BAD_STRUCTURE, 5},
    {"{\"a\",1}", SL_JSON_BAD_STRUCTURE, 4},
    {"{\"a\"::1}", SL_JSON_BAD_STRUCTURE, 5},
    {"{\"a\":1 \"b\":2}", SL_JSON_BAD_STRUCTURE, 7},
    {"{\"a\"}", SL_JSON_BAD_STRUCTURE, 4},
    {"{[]:1}", SL_JSON_BAD_STRUCTURE, 1},
    {"1 2", SL_JSON_TRAILING, 2},
    {"{} {}", SL_JSON_TRAILING, 3},
    {"[]]", SL_JSON_TRAILING, 2},
    {"\"a\"b", SL_JSON_TRAILING, 3},
    {"true,", SL_JSON_TRAILING, 4},
    {"{}x", SL_JSON_TRAILING, 2},
};

static void check_verdict(const verdict *want, const char *scanner)
{
    sl_tape tape = {0};
    /* An own allocation of just this size, for the sanitizer to see any byte read beyond it. */
    size_t len = strlen(want->text);
    char *text = malloc(len ? len : 1);
    memcpy(text, want->text, len);
    sl_json_result got = sl_json_index(&tape, (sl_span){text, len});
    ck_assert_msg(got.error == want->error && got.at == want->at, "%s: `%s`: %s at %u, not %s at %u", scanner,
                  want->text, sl_json_error_text(got.error), got.at, sl_json_error_text(want->error),
                  want->at);
    ck_assert_uint_eq(tape.len, got.tokens);
    if (want->error) ck_assert_uint_eq(tape.len, 0);
    free(text);
    sl_tape_release(&tape);
}

START_TEST(json_index__accepts_and_refuses_as_rfc_8259_says)
{
    for (size_t s = 0; s < SL_LEN(scanners); s++) {
        if (sl_json_scanner_use(scanners[s]) != 0) continue;
        for (size_t i = 0; i < SL_LEN(zoo); i++)
            check_verdict(&zoo[i], scanners[s]);
    }
}
END_TEST

/* Every text of the zoo again, moved so that it begins at each place of a block. */
START_TEST(json_index__judges_alike_at_every_place_of_a_block)
{
    char moved[512];

    for (size_t s = 0; s < SL_LEN(scanners); s++) {
        if (sl_json_scanner_use(scanners[s]) != 0) continue;
        for (size_t i = 0; i < SL_LEN(zoo); i++) {
            for (unsigned shift = 1; shift <= 130; shift++) {
                snprintf(moved, sizeof moved, "%*s%s", (int)shift, "", zoo[i].text);
                verdict want = {moved, zoo[i].error, zoo[i].error ? zoo[i].at + shift : 0};
                check_verdict(&want, scanners[s]);
            }
        }
    }
}
END_TEST

START_TEST(json_index__knows_the_nine_escapes_and_no_other)
{
    sl_tape tape = {0};

    for (int c = 0x20; c < 0x100; c++) {
        char text[] = {'[', '"', '\\', (char)c, '0', '0', '4', '1', '"', ']'};
        sl_json_error error = sl_json_index(&tape, (sl_span){text, sizeof text}).error;
        ck_assert_int_eq(error, strchr("\"\\/bfnrtu", c) ? SL_JSON_OK : SL_JSON_BAD_ESCAPE);
    }
    sl_tape_release(&tape);
}
END_TEST

/* ---- the tape ---------------------------------------------------------------------------------- */

/* "type off len next depth flags;" for each token, in a form that a person can read. */
static const char *tape_text(const sl_tape *tape, sl_buf *out)
{
    sl_buf_clear(out);
    for (uint32_t i = 0; i < tape->len; i++) {
        const sl_token *tok = &tape->tok[i];
        sl_buf_printf(out, "%c%u+%u>%u^%u", "OASNTFZ"[tok->type], tok -> off, tok -> len, tok -> next,
                      tok -> depth);
        sl_buf_append_cstr(out, tok->flags & SL_TOKEN_KEY ? "k" : "");
        sl_buf_append_cstr(out, tok->flags & SL_TOKEN_ESCAPED ? "e" : "");
        sl_buf_append_cstr(out, tok->flags & SL_TOKEN_LONE_SURROGATE ? "l" : "");
        sl_buf_append_cstr(out, tok->flags & SL_TOKEN_NON_ASCII ? "8" : "");
        sl_buf_append_char(out, ' ');
    }
    return sl_buf_cstr(out);
}

static void check_tape(const char *text, const char *want)
{
    sl_buf out = SL_BUF_NONE;

    for (size_t s = 0; s < SL_LEN(scanners); s++) {
        sl_tape tape = {0};
        if (sl_json_scanner_use(scanners[s]) != 0) continue;
        ck_assert_int_eq(sl_json_index(&tape, sl_span_of(text)).error, SL_JSON_OK);
        ck_assert_str_eq(tape_text(&tape, &out), want);
        sl_tape_release(&tape);
    }
    sl_buf_release(&out);
}

START_TEST(json_index__writes_the_tape_in_the_order_of_the_text)
{
    check_tape("7", "N0+1>1^0 ");
    check_tape(" \"a\" ", "S2+1>1^0 ");
    check_tape("[]", "A0+2>1^0 ");
    check_tape("{\"a\":1,\"b\":[true,null,{}],\"c\":\"x\"}",
               "O0+34>10^0 S2+1>2^1k N5+1>3^1 S8+1>4^1k A11+14>8^1 T12+4>6^2 Z17+4>7^2 O22+2>8^2 S27+1>9^1k "
               "S31+1>10^1 ");
    check_tape("[ [ ] , -0.5e1 , false ]", "A0+24>4^0 A2+3>2^1 N8+6>3^1 F17+5>4^1 ");
}
END_TEST

START_TEST(json_index__flags_what_a_string_holds)
{
    check_tape("[\"a\\n\",\"\xc3\xa9\",\"\\ud800\",\"\\ud83d\\ude00\",\"\\udc00\xc3\xa9\",\"plain\"]",
               "A0+55>7^0 S2+3>2^1e S8+2>3^1"
               "8 S13+6>4^1el S22+12>5^1e S37+8>6^1el8 S48+5>7^1 ");
    /* Neighbours in the same block keep theirs to themselves. */
    check_tape("{\"\\u0061\":\"b\"}", "O0+14>3^0 S2+6>2^1ke S11+1>3^1 ");
}
END_TEST

START_TEST(json_index__tells_what_the_text_holds)
{
    sl_tape tape = {0};
    sl_json_result result = sl_json_index(&tape, SL_SPAN("{\"a\":\"\xc3\xa9\"}"));
    ck_assert(result.non_ascii && !result.lone_surrogate);
    ck_assert_uint_eq(result.tokens, 3);
    result = sl_json_index(&tape, SL_SPAN("[\"\\udfff\"]"));
    ck_assert(!result.non_ascii && result.lone_surrogate);
    result = sl_json_index(&tape, SL_SPAN("[\"\\ud83d\\ude00\"]"));
    ck_assert(!result.non_ascii && !result.lone_surrogate);
    sl_tape_release(&tape);
}
END_TEST

START_TEST(json_index__appends_slices_that_stand_alone)
{
    sl_tape tape = {0};
    ck_assert_uint_eq(sl_json_index(&tape, SL_SPAN("{\"a\":[1]}")).tokens, 4);
    ck_assert_int_eq(sl_json_index(&tape, SL_SPAN("{\"a\":[1}")).error, SL_JSON_BAD_STRUCTURE);
    ck_assert_uint_eq(tape.len, 4);
    ck_assert_uint_eq(sl_json_index(&tape, SL_SPAN("{\"b\":{}}")).tokens, 3);
    ck_assert_uint_eq(tape.len, 7);
    ck_assert_uint_eq(tape.tok[4].next, 3); /* counted from its own first token */
    ck_assert_uint_eq(tape.tok[6].next, 3);
    sl_tape_release(&tape);
}
END_TEST

START_TEST(json_index__walks_by_next)
{
    sl_tape tape = {0};
    const char *text = "{\"a\":{\"x\":[1,2]},\"b\":[3,[4],5],\"c\":6}";
    ck_assert_int_eq(sl_json_index(&tape, sl_span_of(text)).error, SL_JSON_OK);
    sl_buf keys = SL_BUF_NONE;
    const sl_token *tok = tape.tok;
    for (uint32_t k = 1; k < tok[0].next; k = tok[k + 1].next) {
        sl_buf_append(&keys, text + tok[k].off, tok[k].len);
        if (tok[k + 1].type != SL_JSON_ARRAY) continue;
        for (uint32_t e = k + 2; e < tok[k + 1].next; e = tok[e].next)
            sl_buf_append(&keys, text + tok[e].off, tok[e].len);
    }
    ck_assert_str_eq(sl_buf_cstr(&keys), "ab3[4]5c");
    sl_buf_release(&keys);
    sl_tape_release(&tape);
}
END_TEST

START_TEST(json_index__nests_512_deep_and_no_deeper)
{
    sl_tape tape = {0};
    sl_buf text = SL_BUF_NONE;
    for (unsigned depth = 511; depth <= 513; depth++) {
        sl_buf_clear(&text);
        for (unsigned i = 0; i < depth; i++)
            sl_buf_append_cstr(&text, i % 2 ? "{\"a\":" : "[");
        sl_buf_append_char(&text, '1');
        for (unsigned i = depth; i > 0; i--)
            sl_buf_append_char(&text, i % 2 ? ']' : '}');
        tape.len = 0;
        sl_json_result result = sl_json_index(&tape, sl_buf_span(&text));
        ck_assert_int_eq(result.error, depth <= SL_JSON_MAX_DEPTH ? SL_JSON_OK : SL_JSON_TOO_DEEP);
        if (depth == 512) ck_assert_uint_eq(tape.tok[tape.len - 1].depth, 512);
    }
    sl_buf_clear(&text);
    for (unsigned i = 0; i < 100000; i++)
        sl_buf_append_char(&text, '[');
    sl_json_result result = sl_json_index(&tape, sl_buf_span(&text));
    ck_assert_int_eq(result.error, SL_JSON_TOO_DEEP);
    ck_assert_uint_eq(result.at, 512);
    sl_buf_release(&text);
    sl_tape_release(&tape);
}
END_TEST

START_TEST(json_index__takes_numbers_of_any_length_and_refuses_texts_beyond_the_limit)
{
    sl_tape tape = {0};
    char digits[5002];
    memset(digits, '9', sizeof digits);
    digits[1] = '.';
    ck_assert_int_eq(sl_json_index(&tape, (sl_span){digits, sizeof digits}).error, SL_JSON_OK);
    ck_assert_uint_eq(tape.tok[0].len, sizeof digits);
    /* Only the length is looked at. */
    sl_json_result result = sl_json_index(&tape, (sl_span){digits, (size_t)SL_JSON_MAX_TEXT + 1});
    ck_assert_int_eq(result.error, SL_JSON_TOO_LONG);
    sl_tape_release(&tape);
}
END_TEST

START_TEST(json_index__has_a_text_for_every_error)
{
    for (int error = SL_JSON_OK; error <= SL_JSON_NO_MEMORY; error++)
        ck_assert_str_ne(sl_json_error_text((sl_json_error)error), "unknown error");
    ck_assert_str_eq(sl_json_error_text((sl_json_error)999), "unknown error");
    ck_assert_int_eq(sl_json_scanner_use("abacus"), SL_E_UNSUPPORTED);
}
END_TEST

/* ---- the scanners against each other, and all against a parser of others' making --------------- */

#ifdef HAVE_JANSSON
/* jansson refuses some texts that RFC 8259's grammar allows: NUL in keys, lone surrogates, numbers that
 * overflow, bad UTF-8, depth. So only this is asked: what it takes, the index takes; and what it calls a
 * syntax error, the index refuses. */
static void check_against_jansson(sl_span text, sl_json_error ours)
{
    json_error_t error;
    json_t *value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value) {
        ck_assert_msg(ours == SL_JSON_OK, "`" SL_SPAN_FMT "`: %s", SL_SPAN_ARG(text),
                      sl_json_error_text(ours));
        json_decref(value);
        return;
    }
    bool beyond_grammar = strstr(error.text, "overflow") || strstr(error.text, "too big") ||
                          strstr(error.text, "unable to decode byte") ||
                          strstr(error.text, "invalid Unicode '") ||
                          strstr(error.text, "NUL byte in object key");
    if (!beyond_grammar)
        ck_assert_msg(ours != SL_JSON_OK, "`" SL_SPAN_FMT "`: %s", SL_SPAN_ARG(text), error.text);
}
#endif

static void check_alike(sl_span text)
{
    sl_tape tapes[SL_LEN(scanners)] = {{0}};
    sl_json_result results[SL_LEN(scanners)];
    /* Its own allocation, so that reading past the end is seen. */
    char *own = malloc(text.len ? text.len : 1);

    if (text.len) memcpy(own, text.ptr, text.len);
    for (size_t s = 0; s < SL_LEN(scanners); s++) {
        if (sl_json_scanner_use(scanners[s]) != 0) continue;
        results[s] = sl_json_index(&tapes[s], (sl_span){own, text.len});
        ck_assert_msg(results[s].error == results[0].error && results[s].at == results[0].at &&
                          results[s].tokens == results[0].tokens &&
                          results[s].non_ascii == results[0].non_ascii &&
                          results[s].lone_surrogate == results[0].lone_surrogate,
                      "%s differs on `" SL_SPAN_FMT "`", scanners[s], SL_SPAN_ARG(text));
        for (uint32_t i = 0; i < results[s].tokens; i++)
            ck_assert_mem_eq(&tapes[s].tok[i], &tapes[0].tok[i], sizeof(sl_token));
    }
#ifdef HAVE_JANSSON
    check_against_jansson(text, results[0].error);
#endif
    for (size_t s = 0; s < SL_LEN(scanners); s++)
        sl_tape_release(&tapes[s]);
    free(own);
}

START_TEST(json_index__gives_the_same_with_every_scanner)
{
    sl_random random = {20240917};
    sl_buf text = SL_BUF_NONE, mutated = SL_BUF_NONE;

    for (int round = 0; round < 20000; round++) {
        sl_buf_clear(&text);
        sl_json_random(&random, sl_random_below(&random, 5), &text);
        sl_tape tape = {0};
        ck_assert_msg(sl_json_index(&tape, sl_buf_span(&text)).error == SL_JSON_OK, "`%s`",
                      sl_buf_cstr(&text));
        sl_tape_release(&tape);
        check_alike(sl_buf_span(&text));
        sl_buf_clear(&mutated);
        sl_json_random_mutation(&random, sl_buf_span(&text), &mutated);
        check_alike(sl_buf_span(&mutated));
    }
    sl_buf_release(&text);
    sl_buf_release(&mutated);
}
END_TEST

START_TEST(json_index__gives_the_same_on_noise)
{
    static const char telling[] = "\"\"\"\"\\\\\\\\\\{}[]:,1e-.tfn \n\x01\x80";
    sl_random random = {77};
    char noise[400];

    for (int round = 0; round < 20000; round++) {
        size_t len = sl_random_below(&random, sizeof noise);
        for (size_t i = 0; i < len; i++)
            noise[i] = round % 2 ? (char)sl_random_next(&random)
                                 : telling[sl_random_below(&random, sizeof telling - 1)];
        if (round % 4 == 0 && len > 2) { /* a long string of quotes and backslashes */
            noise[0] = '"';
            for (size_t i = 1; i + 1 < len; i++)
                noise[i] = sl_random_below(&random, 3) ? '\\' : '"';
        }
        check_alike((sl_span){noise, len});
    }
}
END_TEST

SL_TEST_MAIN("json_index", json_index__knows_the_nine_escapes_and_no_other,
             json_index__accepts_and_refuses_as_rfc_8259_says,
             json_index__judges_alike_at_every_place_of_a_block,
             json_index__writes_the_tape_in_the_order_of_the_text, json_index__flags_what_a_string_holds,
             json_index__tells_what_the_text_holds, json_index__appends_slices_that_stand_alone,
             json_index__walks_by_next, json_index__nests_512_deep_and_no_deeper,
             json_index__takes_numbers_of_any_length_and_refuses_texts_beyond_the_limit,
             json_index__has_a_text_for_every_error, json_index__gives_the_same_with_every_scanner,
             json_index__gives_the_same_on_noise)
