/* records.c: small batches for tests. */
#include "records.h"

#include <check.h>

sl_batch *sl_test_batch_raw(const char *common, uint16_t flags, const char *lines)
{
    sl_batch *batch = sl_batch_new();
    batch->source = (sl_id){1, 2};
    if (common) ck_assert_int_eq(sl_batch_set_common(batch, sl_span_of(common)), 0);
    size_t len = strlen(lines);
    char *buf = sl_batch_try_alloc(batch, len);
    memcpy(buf, lines, len);
    for (char *at = buf; at < buf + len;) {
        char *end = memchr(at, '\n', (size_t)(buf + len - at));
        if (!end) end = buf + len;
        sl_span line = {at, (size_t)(end - at)};
        ck_assert_ptr_nonnull(
            sl_batch_add(batch, line, SL_RECORD_RAW | flags, SL_TEST_TIME_NS, (uint64_t)(at - buf)));
        at = end + 1;
    }
    return batch;
}

sl_batch *sl_test_batch_parsed(const char *common, uint16_t flags, const char *lines)
{
    sl_batch *batch = sl_test_batch_raw(common, flags, lines);
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_parse_result res = sl_record_parse_json(batch, &batch->recs[i]);
        ck_assert_msg(res.json.error == SL_JSON_OK && !res.not_object, "line %u: %s", i,
                      sl_json_error_text(res.json.error));
    }
    return batch;
}

static sl_buf text;

static const char *kept_text(void)
{
    static char last[1 << 16];
    ck_assert_uint_lt(text.len, sizeof(last));
    if (text.len) memcpy(last, text.ptr, text.len);
    last[text.len] = '\0';
    sl_buf_release(&text);
    return last;
}

const char *sl_test_batch_written(sl_batch *batch)
{
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    for (uint32_t i = 0; i < batch->count; i++) {
        size_t before = text.len;
        sl_record_write(batch, &batch->recs[i], &text);
        ck_assert_uint_le(text.len - before, sl_batch_join_max(batch) + batch->recs[i].len);
        sl_buf_append_char(&text, '\n');
    }
    sl_batch_unref(batch);
    return kept_text();
}

const char *sl_test_batch_sealed(sl_batch *batch)
{
    ck_assert_int_eq(sl_batch_seal(batch), 0);
    sl_buf_append(&text, batch->text, batch->text_len);
    sl_batch_unref(batch);
    return kept_text();
}

sl_path *sl_test_path(const char *path_text)
{
    sl_err err = SL_ERR_NONE;
    sl_path *path = sl_path_parse(sl_span_of(path_text), &err);
    ck_assert_msg(path != NULL, "%s: %s", path_text, err.text);
    return path;
}
