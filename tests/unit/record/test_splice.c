#include "check_main.h"
#include "records.h"

#include <stdio.h>
#include <stdlib.h>

START_TEST(splice__replaces_inserts_and_removes)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"a\":\"secret\",\"b\":2}");
    sl_record *rec = batch->recs;
    sl_record_splice(batch, rec, 5, 8, SL_SPAN("null"));
    sl_record_splice(batch, rec, 19, 0, SL_SPAN("22"));
    sl_record_splice(batch, rec, 1, 0, SL_SPAN("\"z\":0,"));
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"z\":0,\"a\":null,\"b\":222}\n");
}
END_TEST

START_TEST(splice__covering_takes_the_place_of_earlier_ones)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"abcdefgh\":1}");
    sl_record *rec = batch->recs;
    sl_record_splice(batch, rec, 3, 1, SL_SPAN("X"));
    sl_record_splice(batch, rec, 5, 2, SL_SPAN("Y"));
    sl_record_splice(batch, rec, 8, 1, SL_SPAN("Z"));
    sl_record_splice(batch, rec, 3, 4, SL_SPAN("-")); /* covers the first two, touching their edges */
    sl_record_splice(batch, rec, 4, 1, SL_SPAN("never seen")); /* inside */
    sl_record_splice(batch, rec, 5, 0, SL_SPAN("nor this"));
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"a-fZh\":1}\n");
}
END_TEST

START_TEST(splice__insertions_at_the_edge_of_a_range_stay)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"abc\":1}");
    sl_record *rec = batch->recs;
    sl_record_splice(batch, rec, 3, 1, SL_SPAN("B"));
    sl_record_splice(batch, rec, 3, 0, SL_SPAN("<"));
    sl_record_splice(batch, rec, 3, 0, SL_SPAN("<<"));
    sl_record_splice(batch, rec, 4, 0, SL_SPAN(">"));
    sl_record_splice(batch, rec, 4, 0, SL_SPAN(">>"));
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"a<<<B>>>c\":1}\n");
}
END_TEST

START_TEST(splice__are_seen_by_the_next_tokens)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"a\":1,\"b\":2}");
    sl_record *rec = batch->recs;
    sl_record_splice(batch, rec, 5, 1, SL_SPAN("{\"c\":[true]}"));
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    ck_assert_uint_eq(count, 8);
    ck_assert_int_eq(tok[5].type, SL_JSON_TRUE);
    ck_assert_ptr_null(rec->splices);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"a\":{\"c\":[true]},\"b\":2}\n");
}
END_TEST

/* Every subset of members taken out in every order of up to four members: what is left is those not taken, in
 * order. */
static void check_removal(const char *text, const uint32_t *values, const char *const *left, int n,
                          const int *order, int taken)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, text);
    sl_record *rec = batch->recs;
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    unsigned gone = 0;
    for (int i = 0; i < taken; i++) {
        sl_record_remove_token(batch, rec, tok, values[order[i]]);
        gone |= 1u << order[i];
    }
    char expected[200] = "";
    for (int i = 0; i < n; i++) {
        if (gone & 1u << i) continue;
        if (expected[0]) strcat(expected, ",");
        strcat(expected, left[i]);
    }
    const char *sealed = sl_test_batch_sealed(batch);
    char plain[200];
    size_t len = 0;
    for (const char *at = sealed; *at; at++)
        if (*at != ' ' && *at != '\n') plain[len++] = *at;
    plain[len] = '\0';
    char *open = strchr(plain + 1, '{') ? strchr(plain + 1, '{') : strchr(plain, '[');
    ck_assert_ptr_nonnull(open);
    plain[len - 2] = '\0'; /* without the two closing brackets */
    ck_assert_msg(strcmp(open + 1, expected) == 0, "%s minus %d: `%s` is not `%s`", text, taken, open + 1,
                  expected);
}

static void all_orders(const char *text, const uint32_t *values, const char *const *left, int n, int *order,
                       int at)
{
    check_removal(text, values, left, n, order, at);
    for (int i = 0; i < n; i++) {
        bool used = false;
        for (int j = 0; j < at; j++)
            used |= order[j] == i;
        if (used) continue;
        order[at] = i;
        all_orders(text, values, left, n, order, at + 1);
    }
}

START_TEST(splice__removes_any_members_in_any_order)
{
    static const uint32_t values[] = {4, 6, 8, 10};
    static const char *const members[] = {"\"a\":1", "\"b\":\"2\"", "\"c\":null", "\"d\":4"};
    int order[4];
    all_orders("{\"o\":{\"a\":1,\"b\":\"2\",\"c\":null,\"d\":4}}", values, members, 4, order, 0);
    all_orders("{\"o\": { \"a\" : 1 , \"b\":\"2\"  ,\"c\":null,  \"d\":4  }}", values, members, 4, order, 0);
}
END_TEST

START_TEST(splice__removes_any_elements_in_any_order)
{
    static const uint32_t values[] = {3, 4, 6, 7};
    static const char *const elements[] = {"1", "[2]", "\"3\"", "4"};
    int order[4];
    all_orders("{\"a\":[1,[2],\"3\",4]}", values, elements, 4, order, 0);
    all_orders("{\"a\":[ 1 , [2], \"3\"  ,4 ]}", values, elements, 4, order, 0);
}
END_TEST

START_TEST(splice__removal_covers_edits_of_what_is_removed)
{
    sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"a\":\"x\",\"b\":{\"c\":\"y\"},\"d\":1}");
    sl_record *rec = batch->recs;
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    sl_record_splice(batch, rec, 5, 3, SL_SPAN("\"[REDACTED]\""));
    sl_record_splice(batch, rec, tok[6].off, 1, SL_SPAN("[REDACTED]"));
    sl_record_remove_token(batch, rec, tok, 4);
    ck_assert_str_eq(sl_test_batch_sealed(batch), "{\"a\":\"[REDACTED]\",\"d\":1}\n");
}
END_TEST

/* A model: an array of bytes where each position has been replaced at most once, in random order. */
START_TEST(splice__agrees_with_a_model_under_random_edits)
{
    srand(7);
    for (int round = 0; round < 2000; round++) {
        sl_batch *batch = sl_test_batch_parsed(NULL, 0, "{\"k\":\"0123456789abcdefghij\"}");
        sl_record *rec = batch->recs;
        char with[26][4] = {{0}}, expected[200] = "";
        bool edited[26] = {false};
        for (int i = 0; i < 12; i++) {
            int at = rand() % 20, style = rand() % 3;
            if (edited[at]) continue;
            edited[at] = true;
            snprintf(with[at], sizeof(with[at]), "%.*s", style, "XY");
            sl_span text = {with[at], (size_t)style};
            sl_record_splice(batch, rec, (uint32_t)(6 + at), 1, sl_batch_dup(batch, text));
        }
        strcpy(expected, "{\"k\":\"");
        for (int at = 0; at < 20; at++) {
            char one[2] = {"0123456789abcdefghij"[at], 0};
            strcat(expected, edited[at] ? with[at] : one);
        }
        strcat(expected, "\"}\n");
        ck_assert_str_eq(sl_test_batch_sealed(batch), expected);
    }
}
END_TEST

START_TEST(splice__many_removals_cost_no_more_than_linear_time)
{
    sl_batch *batch = sl_batch_new();
    sl_buf text = SL_BUF_NONE;
    sl_buf_append_cstr(&text, "{\"a\":[");
    for (int i = 0; i < 50000; i++)
        sl_buf_append_cstr(&text, i ? ",{\"p\":1,\"q\":2}" : "{\"p\":1,\"q\":2}");
    sl_buf_append_cstr(&text, "]}");
    sl_record *rec = sl_batch_add(batch, sl_batch_dup(batch, sl_buf_span(&text)), SL_RECORD_RAW, 0, 0);
    ck_assert_int_eq(sl_record_parse_json(batch, rec).json.error, SL_JSON_OK);
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    int64_t start = sl_clock_mono_ns();
    for (uint32_t t = 0; t < count; t++)
        if (tok[t].flags & SL_TOKEN_KEY && tok[t].depth == 3) sl_record_remove_token(batch, rec, tok, t + 1);
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    ck_assert_int_lt(sl_clock_mono_ns() - start, 2 * SL_NS_PER_S); /* quadratic takes half a minute */
    ck_assert_uint_eq(batch->recs[0].len, 6 + 50000 * 3 - 1 + 2);
    sl_buf_release(&text);
    sl_batch_unref(batch);
}
END_TEST

SL_TEST_MAIN("splice", splice__replaces_inserts_and_removes, splice__covering_takes_the_place_of_earlier_ones,
             splice__insertions_at_the_edge_of_a_range_stay, splice__are_seen_by_the_next_tokens,
             splice__removes_any_members_in_any_order, splice__removes_any_elements_in_any_order,
             splice__removal_covers_edits_of_what_is_removed, splice__agrees_with_a_model_under_random_edits,
             splice__many_removals_cost_no_more_than_linear_time)
